"""Rules of other linters under our lessons: they find the places, our heat decides which of them are worth telling."""
