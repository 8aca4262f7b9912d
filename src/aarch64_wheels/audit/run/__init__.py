"""`audit --run`: what is imported, in which interpreters, and what is made of the answers."""
