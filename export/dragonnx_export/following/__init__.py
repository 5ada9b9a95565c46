"""How a model's features are followed from picture to picture: learned, and written into its bundle."""
