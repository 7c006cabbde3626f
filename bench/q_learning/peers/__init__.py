"""Other ways to do the same rounds."""
