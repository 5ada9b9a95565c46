"""DragGAN without PyTorch at run time."""
