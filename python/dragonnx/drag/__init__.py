"""DragGAN (arXiv 2305.10973), one idea a file: motion supervision, point tracking, the loop."""
