"""Others that apply updates as they come in."""
