"""Components: guests of the component model, what they are linked with, and the calls into them."""
