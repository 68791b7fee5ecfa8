"""What many files are together: which files belong, what starts what, and the join that answers rules' questions."""
