"""The database and its log as pages of bytes: their checksums, what does not fit, and rows around a damaged page."""
