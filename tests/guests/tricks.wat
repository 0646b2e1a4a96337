;; A guest that does what the first byte of its message says: well-behaved, wrong or hostile.
;; Mailbox at 16, in buffer 1024+1024, out buffer 8192+8192, a counter at 64.
(module
  (memory (export "memory") 1)
  (data (i32.const 16)
    "CXA1" "\00\00\01\00" "\00\00\00\00" "\00\04\00\00" "\00\04\00\00" "\00\20\00\00" "\00\00\00\00" "\00\20\00\00")
  (data (i32.const 256) "{\"m\":1}\n")
  (data (i32.const 272) "{\"caxton\":\"log\",\"message\":\"hi\"}\n")
  (data (i32.const 320) "bad \1b[2J news")
  (data (i32.const 352) "{\"m\":1}\r\n\n {\"m\":2}")
  (global $top (mut i32) (i32.const 0))
  (func $say (param $from i32) (param $size i32)
    (local $i i32)
    (loop $copy
      (i32.store8 (i32.add (i32.add (i32.const 8192) (i32.load (i32.const 40))) (local.get $i))
        (i32.load8_u (i32.add (local.get $from) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $copy (i32.lt_u (local.get $i) (local.get $size))))
    (i32.store (i32.const 40) (i32.add (i32.load (i32.const 40)) (local.get $size))))
  (func $deep (param i32) (result i32)
    (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func (export "caxton_abi") (result i32) (i32.const 16))
  (func (export "caxton_alloc") (param $size i32) (result i32)
    (local $pages i32)
    (local.set $pages (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1)))
    (local.set $pages (memory.grow (local.get $pages)))
    (if (i32.eq (local.get $pages) (i32.const -1)) (then (return (i32.const 0))))
    (i32.store (i32.const 28) (i32.shl (local.get $pages) (i32.const 16)))
    (i32.store (i32.const 32) (local.get $size))
    (i32.load (i32.const 28)))
  (func (export "caxton_init") (param $at i32) (param $size i32) (result i32)
    ;; refused where the settings are an array: {"name":"a","settings":[...
    (if (i32.eq (i32.load8_u (i32.add (local.get $at) (i32.const 23))) (i32.const 91)) (then (return (i32.const -3))))
    (i32.const 0))
  (func (export "caxton_snapshot") (result i32)
    (if (i32.eq (i32.load (i32.const 64)) (i32.const 13)) (then unreachable))
    (if (i32.eq (i32.load (i32.const 64)) (i32.const 12)) (then (return (i32.const -1))))
    (i32.store (i32.const 40) (i32.const 0))
    (call $say (i32.const 64) (i32.const 4))
    (i32.const 0))
  (func (export "caxton_restore") (param $at i32) (param $size i32) (result i32)
    (if (i32.ne (local.get $size) (i32.const 4)) (then (return (i32.const -2))))
    (i32.store (i32.const 64) (i32.load (local.get $at)))
    (if (i32.eq (i32.load (i32.const 64)) (i32.const 11)) (then (return (i32.const -2))))
    (i32.const 0))
  (func (export "caxton_shutdown") (result i32) (i32.const 0))
  (func (export "handle_message") (param $at i32) (param $size i32) (result i32)
    (local $do i32)
    (local.set $do (i32.load8_u (local.get $at)))
    (i32.store (i32.const 40) (i32.const 0))
    (if (i32.eq (local.get $do) (i32.const 115)) (then (loop $spin (br $spin))))                   ;; s
    (if (i32.eq (local.get $do) (i32.const 114)) (then (return (call $deep (i32.const 0)))))       ;; r
    (if (i32.eq (local.get $do) (i32.const 117)) (then unreachable))                               ;; u
    (if (i32.eq (local.get $do) (i32.const 100)) (then                                             ;; d
      (return (i32.div_u (i32.const 1) (i32.load (i32.const 128))))))
    (if (i32.eq (local.get $do) (i32.const 111)) (then (return (i32.load (i32.const -8)))))        ;; o
    (if (i32.eq (local.get $do) (i32.const 103)) (then                                             ;; g
      (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))))
    (if (i32.eq (local.get $do) (i32.const 76)) (then                                              ;; L
      (i32.store (i32.const 40) (i32.const -1)) (return (i32.const 1))))
    (if (i32.eq (local.get $do) (i32.const 80)) (then                                              ;; P
      (i32.store (i32.const 36) (i32.const -16)) (i32.store (i32.const 40) (i32.const 16)) (return (i32.const 1))))
    (if (i32.eq (local.get $do) (i32.const 67)) (then                                              ;; C
      (i32.store (i32.const 44) (i32.const -1)) (i32.store (i32.const 40) (i32.const -1)) (return (i32.const 1))))
    (if (i32.eq (local.get $do) (i32.const 73)) (then                                              ;; I
      (i32.store (i32.const 28) (i32.const -8)) (return (i32.const 0))))
    (if (i32.eq (local.get $do) (i32.const 77)) (then                                              ;; M
      (i32.store (i32.const 36) (i32.const 16)) (i32.store (i32.const 40) (i32.const 32)) (return (i32.const 1))))
    (if (i32.eq (local.get $do) (i32.const 66)) (then                                              ;; B
      (i32.store (i32.const 40) (i32.const 5000)) (return (i32.const 1))))
    (if (i32.eq (local.get $do) (i32.const 110)) (then                                             ;; n
      (call $say (i32.const 320) (i32.const 13)) (return (i32.const -5))))
    (if (i32.eq (local.get $do) (i32.const 109)) (then (return (i32.const 1000))))                 ;; m
    (if (i32.eq (local.get $do) (i32.const 99)) (then                                              ;; c
      (call $say (i32.const 256) (i32.const 8)) (return (i32.const 2))))
    (if (i32.eq (local.get $do) (i32.const 122)) (then (return (i32.const 0))))                    ;; z
    (if (i32.eq (local.get $do) (i32.const 108)) (then                                             ;; l
      (call $say (i32.const 272) (i32.const 32))))
    (if (i32.eq (local.get $do) (i32.const 107)) (then                                             ;; k
      (call $say (i32.const 272) (i32.const 32)) (return (i32.const 1))))
    (if (i32.eq (local.get $do) (i32.const 50)) (then                                              ;; 2
      (call $say (i32.const 352) (i32.const 18)) (return (i32.const 2))))
    (if (i32.eq (local.get $do) (i32.const 43)) (then                                              ;; +
      (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))
      (i32.store8 (i32.const 261) (i32.add (i32.load (i32.const 64)) (i32.const 48)))))
    (call $say (i32.const 256) (i32.const 8))
    (i32.const 1)))
