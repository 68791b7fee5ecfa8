"""Front ends: each turns the text of one language into a document with positions, and never reads another file."""
