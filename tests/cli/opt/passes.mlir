// RUN: snn-opt %s --pass-pipeline="builtin.module(cse, dce)" | filecheck %s
// RUN: not snn-opt %s -p "nope" 2>&1 | filecheck %s --check-prefix=UNKNOWN

// UNKNOWN: <pass-pipeline>:1:1: error: unknown pass 'nope'
// CHECK: func.func @f
func.func @f(%x : i32) -> i32 {
  // CHECK-NEXT: "test.op"
  %0 = "test.op"(%x) : (i32) -> i32
  // CHECK-NOT: pureop
  %1 = "test.pureop"() : () -> i32
  // CHECK: return
  func.return %0 : i32
}
