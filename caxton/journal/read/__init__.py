"""Reading the journal: for views and lists (`reader`), for memories (`past`), and after a crash (`recovery`)."""
