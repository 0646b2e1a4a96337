"""What commands print: tables and documents, message lines, deployments, the lines of `caxton dev`."""
