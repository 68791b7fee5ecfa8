"""The site of the documentation, made from the README, the guides, the rules with their pages, and the lessons."""
