"""The development loop on real files with real builders."""
