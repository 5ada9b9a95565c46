"""How good drags are: landmarks dragged to where other pictures have them, judged from pictures."""
