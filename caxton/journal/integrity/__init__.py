"""Whether a journal is as it was written: at each start (`guard`), all of it (`verify`), and what to do (`repair`)."""
