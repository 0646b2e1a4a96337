"""The cell process: instances of guests, their turns one after another, and the calls into them."""
