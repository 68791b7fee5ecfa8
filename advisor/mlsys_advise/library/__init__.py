"""Facts about libraries, as data: kinds of their values, roots of heat, versions with known flaws."""
