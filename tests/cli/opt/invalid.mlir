// RUN: snn-opt %s --split-input-file --verify-diagnostics --parsing-diagnostics | filecheck %s

// CHECK: invalid.mlir:6:3: error: func.return: Expected arguments to have the same types
func.func @f(%x : i32) -> i32 {
  // The location is that of the operation, its line counts from the start of the file.
  func.return %x, %x : i32, i32
}

// -----

// CHECK: invalid.mlir:13:11: error: values used but not defined: [%y]
// CHECK-NEXT: "test.op"(%y) : (i32) -> ()
"test.op"(%y) : (i32) -> ()

// -----

// CHECK: invalid.mlir:19:34: error: !snn.signal: a signal needs at least one dimension
// An attribute's own verifier is located at the attribute.
"test.op"() {signal = !snn.signal<0, spike>} : () -> ()

// -----

// Chunks after a bad one are still processed.
// CHECK: "test.op"() {good} : () -> ()
"test.op"() {good} : () -> ()
