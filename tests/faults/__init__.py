"""System calls that fail or do less than was asked: nothing is lost that need not be."""
