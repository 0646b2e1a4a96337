"""What runs guests: the compile child, the cell process, and the calls into a guest.

A message comes in as a frame (`frames`), a guest handles it (`instance`, over `calls_fast` or
`calls_public`), a result goes out. The daemon itself imports only the parts without wasmtime: `frames`,
`lines`, `profiles`, `compiler`, `child`.
"""
