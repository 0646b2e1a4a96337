;; {{name}}: counts. request {"add": k} (1 where it is missing) -> inform {"count": n}.
;;
;; The host calls handle_message for every message; what stands in the out buffer then goes out. This is the guest ABI
;; with nothing in between; any other language is shorter.
;;
;; memory: 16 mailbox (8 x u32) | 64 texts | 512 digits | 1024 input, 16 KiB | 17408 output, 16 KiB + 1 KiB
(module
  (memory (export "memory") 1)
  ;; "CXA1", version 1.0, no flags, in_ptr, in_cap, out_ptr, out_len, out_cap
  (data (i32.const 16) "CXA1" "\00\00\01\00" "\00\00\00\00" "\00\04\00\00" "\00\40\00\00"
                       "\00\44\00\00" "\00\00\00\00" "\00\44\00\00")
  (data (i32.const 64) "performative")             ;; 64, 12 bytes
  (data (i32.const 80) "content")                  ;; 80, 7
  (data (i32.const 96) "\"request\"")              ;; 96, 9
  (data (i32.const 112) "add")                     ;; 112, 3
  (data (i32.const 120) "count")                   ;; 120, 5
  (data (i32.const 128) "v")                       ;; 128, 1
  (data (i32.const 144) "{\"performative\":\"inform\",\"content\":{\"count\":") ;; 144, 44
  (data (i32.const 192) "}}\n")                    ;; 192, 3
  (data (i32.const 200) "{\"performative\":\"refuse\",\"content\":{\"reason\":\"add is out of range\"}}\n") ;; 200, 69
  (data (i32.const 288) "{\"v\":1,\"count\":")    ;; 288, 15
  (data (i32.const 304) "not a counter's state, version 1") ;; 304, 32

  (global $count (mut i64) (i64.const 0))
  (global $largest i64 (i64.const 1000000000))     ;; of one step, so that the count never runs over
  (global $value (mut i32) (i32.const 0))          ;; what $member found: where it begins …
  (global $value_end (mut i32) (i32.const 0))      ;; … and ends
  (global $written (mut i32) (i32.const 0))        ;; end of the output so far

  (func (export "caxton_abi") (result i32) (i32.const 16))

  ;; Room for n input bytes, at least twice what there was: memory is never given back.
  (func (export "caxton_alloc") (param $n i32) (result i32)
    (local $cap i32) (local $page i32) (local $pages i32)
    (local.set $cap (i32.load (i32.const 32)))
    (if (i32.le_u (local.get $n) (local.get $cap)) (then (return (i32.load (i32.const 28)))))
    (if (i32.gt_u (local.get $n) (i32.const 0x10000000)) (then (return (i32.const 0))))
    (loop $double
      (local.set $cap (i32.shl (local.get $cap) (i32.const 1)))
      (br_if $double (i32.lt_u (local.get $cap) (local.get $n))))
    ;; input and output, the output 1 KiB longer for what stands around the content
    (local.set $pages
      (i32.shr_u (i32.add (i32.shl (local.get $cap) (i32.const 1)) (i32.const 66559)) (i32.const 16)))
    (local.set $page (memory.grow (local.get $pages)))
    (if (i32.eq (local.get $page) (i32.const -1)) (then (return (i32.const 0))))
    (i32.store (i32.const 28) (i32.shl (local.get $page) (i32.const 16)))
    (i32.store (i32.const 32) (local.get $cap))
    (i32.store (i32.const 36) (i32.add (i32.load (i32.const 28)) (local.get $cap)))
    (i32.store (i32.const 44) (i32.add (local.get $cap) (i32.const 1024)))
    (i32.load (i32.const 28)))

  ;; The first byte at or after p that is no white space and not c.
  (func $past (param $p i32) (param $end i32) (param $c i32) (result i32)
    (local $b i32)
    (loop $next
      (if (i32.lt_u (local.get $p) (local.get $end)) (then
        (local.set $b (i32.load8_u (local.get $p)))
        (if (i32.or (i32.le_u (local.get $b) (i32.const 32)) (i32.eq (local.get $b) (local.get $c))) (then
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (br $next))))))
    (local.get $p))

  ;; The end of the JSON value that begins at p; 0 where the text breaks off first.
  (func $skip (param $p i32) (param $end i32) (result i32)
    (local $b i32) (local $depth i32)
    (block $broken
      (loop $next
        (br_if $broken (i32.ge_u (local.get $p) (local.get $end)))
        (local.set $b (i32.load8_u (local.get $p)))
        (if (i32.eq (local.get $b) (i32.const 34)) (then          ;; "
          (loop $string
            (local.set $p (i32.add (local.get $p) (i32.const 1)))
            (br_if $broken (i32.ge_u (local.get $p) (local.get $end)))
            (local.set $b (i32.load8_u (local.get $p)))
            (if (i32.eq (local.get $b) (i32.const 92)) (then      ;; \ takes the next byte along
              (local.set $p (i32.add (local.get $p) (i32.const 1)))
              (br $string)))
            (br_if $string (i32.ne (local.get $b) (i32.const 34))))
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (if (i32.eqz (local.get $depth)) (then (return (local.get $p))))
          (br $next)))
        (if (i32.eq (i32.or (local.get $b) (i32.const 32)) (i32.const 123)) (then ;; { or [
          (local.set $depth (i32.add (local.get $depth) (i32.const 1)))
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (br $next)))
        (if (i32.eq (i32.or (local.get $b) (i32.const 32)) (i32.const 125)) (then ;; } or ]
          (if (i32.eqz (local.get $depth)) (then (return (local.get $p))))        ;; the end of a bare number
          (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
          (local.set $p (i32.add (local.get $p) (i32.const 1)))
          (if (i32.eqz (local.get $depth)) (then (return (local.get $p))))
          (br $next)))
        (if (i32.eqz (local.get $depth)) (then
          (if (i32.or (i32.eq (local.get $b) (i32.const 44)) (i32.le_u (local.get $b) (i32.const 32))) (then
            (return (local.get $p))))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; Whether the n bytes at a and at b are the same.
  (func $same (param $a i32) (param $b i32) (param $n i32) (result i32)
    (loop $next
      (if (i32.eqz (local.get $n)) (then (return (i32.const 1))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (i32.eq (i32.load8_u (i32.add (local.get $a) (local.get $n)))
                           (i32.load8_u (i32.add (local.get $b) (local.get $n))))))
    (i32.const 0))

  ;; Find the member of that name in the object at p: sets $value and $value_end, returns whether it is there.
  (func $member (param $p i32) (param $end i32) (param $name i32) (param $n i32) (result i32)
    (local $key i32) (local $key_end i32)
    (local.set $p (i32.add (call $past (local.get $p) (local.get $end) (i32.const 32)) (i32.const 1))) ;; past the {
    (block $none
      (loop $next
        (local.set $key (call $past (local.get $p) (local.get $end) (i32.const 44)))
        (br_if $none (i32.ge_u (local.get $key) (local.get $end)))
        (br_if $none (i32.ne (i32.load8_u (local.get $key)) (i32.const 34)))
        (local.set $key_end (call $skip (local.get $key) (local.get $end)))
        (br_if $none (i32.eqz (local.get $key_end)))
        (global.set $value (call $past (local.get $key_end) (local.get $end) (i32.const 58)))
        (local.set $p (call $skip (global.get $value) (local.get $end)))
        (br_if $none (i32.eqz (local.get $p)))
        (global.set $value_end (local.get $p))
        (if (i32.eq (i32.sub (local.get $key_end) (local.get $key)) (i32.add (local.get $n) (i32.const 2))) (then
          (if (call $same (i32.add (local.get $key) (i32.const 1)) (local.get $name) (local.get $n)) (then
            (return (i32.const 1))))))
        (br $next)))
    (i32.const 0))

  ;; Whether the value that was found is that text, quotes included.
  (func $is (param $text i32) (param $n i32) (result i32)
    (if (i32.ne (i32.sub (global.get $value_end) (global.get $value)) (local.get $n)) (then (return (i32.const 0))))
    (call $same (global.get $value) (local.get $text) (local.get $n)))

  ;; Append n bytes to the output; the caller has seen to it that they fit.
  (func $put (param $from i32) (param $n i32)
    (loop $next
      (if (local.get $n) (then
        (i32.store8 (global.get $written) (i32.load8_u (local.get $from)))
        (global.set $written (i32.add (global.get $written) (i32.const 1)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))))

  ;; Begin and end an output.
  (func $begin
    (global.set $written (i32.load (i32.const 36)))
    (i32.store (i32.const 40) (i32.const 0)))
  (func $end
    (i32.store (i32.const 40) (i32.sub (global.get $written) (i32.load (i32.const 36)))))

  ;; The whole number that was found; `otherwise` where it is none, or has more than 17 digits.
  (func $number (param $otherwise i64) (result i64)
    (local $p i32) (local $sign i64) (local $n i64) (local $digit i32)
    (local.set $p (global.get $value))
    (local.set $sign (i64.const 1))
    (if (i32.eq (i32.load8_u (local.get $p)) (i32.const 45)) (then            ;; -
      (local.set $sign (i64.const -1))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))))
    (if (i32.ge_u (i32.sub (i32.sub (global.get $value_end) (local.get $p)) (i32.const 1)) (i32.const 17)) (then
      (return (local.get $otherwise))))
    (loop $next
      (local.set $digit (i32.sub (i32.load8_u (local.get $p)) (i32.const 48)))
      (if (i32.ge_u (local.get $digit) (i32.const 10)) (then (return (local.get $otherwise))))
      (local.set $n (i64.add (i64.mul (local.get $n) (i64.const 10)) (i64.extend_i32_u (local.get $digit))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $p) (global.get $value_end))))
    (i64.mul (local.get $n) (local.get $sign)))

  ;; Append the count in digits.
  (func $put_count
    (local $p i32) (local $n i64)
    (local.set $p (i32.const 544))                                            ;; from the last digit back
    (local.set $n (global.get $count))
    (if (i64.lt_s (local.get $n) (i64.const 0)) (then (local.set $n (i64.sub (i64.const 0) (local.get $n)))))
    (loop $next
      (local.set $p (i32.sub (local.get $p) (i32.const 1)))
      (i32.store8 (local.get $p)
        (i32.add (i32.wrap_i64 (i64.rem_u (local.get $n) (i64.const 10))) (i32.const 48)))
      (local.set $n (i64.div_u (local.get $n) (i64.const 10)))
      (br_if $next (i64.ne (local.get $n) (i64.const 0))))
    (if (i64.lt_s (global.get $count) (i64.const 0)) (then
      (local.set $p (i32.sub (local.get $p) (i32.const 1)))
      (i32.store8 (local.get $p) (i32.const 45))))
    (call $put (local.get $p) (i32.sub (i32.const 544) (local.get $p))))

  (func (export "handle_message") (param $p i32) (param $n i32) (result i32)
    (local $end i32) (local $add i64)
    (local.set $end (i32.add (local.get $p) (local.get $n)))
    (call $begin)
    (if (i32.eqz (call $member (local.get $p) (local.get $end) (i32.const 64) (i32.const 12))) (then
      (return (i32.const 0))))
    (if (i32.eqz (call $is (i32.const 96) (i32.const 9))) (then (return (i32.const 0))))
    (local.set $add (i64.const 1))
    (if (call $member (local.get $p) (local.get $end) (i32.const 80) (i32.const 7)) (then
      (if (i32.eq (i32.load8_u (global.get $value)) (i32.const 123)) (then    ;; an object
        (if (call $member (global.get $value) (global.get $value_end) (i32.const 112) (i32.const 3)) (then
          (local.set $add (call $number (i64.const 1)))))))))
    (if (i64.gt_u (i64.add (local.get $add) (global.get $largest)) (i64.mul (global.get $largest) (i64.const 2))) (then
      (call $put (i32.const 200) (i32.const 69)))
    (else
      (global.set $count (i64.add (global.get $count) (local.get $add)))
      (call $put (i32.const 144) (i32.const 44))
      (call $put_count)
      (call $put (i32.const 192) (i32.const 3))))
    (call $end)
    (i32.const 1))

  ;; The state, for the next build of this agent, and for after a crash.
  (func (export "caxton_snapshot") (result i32)
    (call $begin)
    (call $put (i32.const 288) (i32.const 15))
    (call $put_count)
    (call $put (i32.const 192) (i32.const 1))
    (call $end)
    (i32.const 0))

  ;; The state of the build before; to refuse what this one cannot read keeps that one running.
  (func (export "caxton_restore") (param $p i32) (param $n i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $p) (local.get $n)))
    (call $begin)
    (block $refused
      (br_if $refused (i32.eqz (call $member (local.get $p) (local.get $end) (i32.const 128) (i32.const 1))))
      (br_if $refused (i64.ne (call $number (i64.const 0)) (i64.const 1)))
      (br_if $refused (i32.eqz (call $member (local.get $p) (local.get $end) (i32.const 120) (i32.const 5))))
      (global.set $count (call $number (i64.const 0)))
      (return (i32.const 0)))
    (call $put (i32.const 304) (i32.const 32))
    (call $end)
    (i32.const -1)))
