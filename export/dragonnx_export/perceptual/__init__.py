"""Networks in whose features images are compared: from weights to a proven folder of graphs."""
