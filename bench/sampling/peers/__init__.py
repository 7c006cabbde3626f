"""Sampling by others, in environments of their own: no import of this project but `bench`."""
