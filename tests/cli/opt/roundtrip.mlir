// RUN: ROUNDTRIP
// RUN: GENERIC_ROUNDTRIP

// CHECK: builtin.module {
// CHECK-NEXT: [[a:%.+]] = "test.op"() : () -> i32
%0 = "test.op"() : () -> i32
// -----
// CHECK: // -----
// CHECK-NEXT: builtin.module {
// CHECK-NEXT: [[b:%.+]] = "test.op"([[b]]) : (i32) -> i32
%0 = "test.op"(%0) : (i32) -> i32
