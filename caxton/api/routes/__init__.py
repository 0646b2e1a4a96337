"""The routes of the API: one router for each noun."""
