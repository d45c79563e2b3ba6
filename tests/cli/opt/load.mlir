// RUN: snn-opt %s --load %S/../extra_passes.py --pass-pipeline="builtin.module( \
// RUN:   mark{number=3 sizes=1,2 text=a/b.npz sure}, \
// RUN:   cse)" | filecheck %s
// RUN: snn-opt %s --load %S/../extra_passes.py -p mark --statistics -o %t 2>&1 | filecheck %s --check-prefix=COUNTS
// RUN: cat %t | filecheck %s --check-prefix=DEFAULTS
// RUN: not snn-opt %s -p mark 2>&1 | filecheck %s --check-prefix=UNKNOWN

// CHECK: attributes {mark = "(3, 0.5, 'a/b.npz', True, 'fast', (1, 2), None)"}
// COUNTS: mark:
// COUNTS-NEXT: 2  ops-seen
// DEFAULTS: attributes {mark = "(1, 0.5, '', False, 'fast', (), None)"}
// UNKNOWN: <pass-pipeline>:1:1: error: unknown pass 'mark'
"test.op"() : () -> ()
