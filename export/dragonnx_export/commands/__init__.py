"""The commands of `dragonnx-export`, one a file."""
