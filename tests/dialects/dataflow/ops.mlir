// RUN: ROUNDTRIP
// RUN: GENERIC_ROUNDTRIP

// A cycle with an initial token, a token of two results, transport, orders, and all that analysis adds.
// CHECK: dataflow.graph of @n unit "ns" activity "peak" period 91/2 latency 120 predicted 40 simulated 45 critical [@c0.a, @c1.b] attributes {note = "x"} {
dataflow.graph of @n unit "ns" activity "peak" period 91/2 latency 240/2 predicted 40 simulated 45 critical [@c0.a, @c1.b] attributes {note = "x"} {
  // CHECK-NEXT: [[X:%.+]] = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<2>
  %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<2>
  // CHECK-NEXT: [[A:%.+]], [[A2:%.+]] = dataflow.actor slice @c0.a on @c0 time 30 mean 20 reads([[X]][1] capacity 2, [[B:%.+]][1] tokens 1 capacity 3) makes(1, 2) start 7/3 slack 0 : (!dataflow.token<2>, !dataflow.token<1>) -> (!dataflow.token<2>, !dataflow.token<0>)
  %a, %a2 = dataflow.actor slice @c0.a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 1 capacity 3) makes(1, 2) start 7/3 slack 0 : (!dataflow.token<2>, !dataflow.token<1>) -> (!dataflow.token<2>, !dataflow.token<0>)
  // CHECK-NEXT: [[S:%.+]] = dataflow.actor send @a.send time 3 mean 2 reads([[A]][1]) makes(1) : (!dataflow.token<2>) -> !dataflow.token<2>
  %s = dataflow.actor send @a.send time 3 mean 2 reads(%a[1]) makes(1) : (!dataflow.token<2>) -> !dataflow.token<2>
  // CHECK-NEXT: [[C:%.+]] = dataflow.actor carry @a.carry time 5 mean 5 concurrent reads([[S]][1]) makes(1) {hops = 2 : i64} : (!dataflow.token<2>) -> !dataflow.token<2>
  %c = dataflow.actor carry @a.carry time 5 mean 5 concurrent reads(%s[1]) makes(1) {hops = 2 : i64} : (!dataflow.token<2>) -> !dataflow.token<2>
  // CHECK-NEXT: [[B]] = dataflow.actor slice @c1.b on @c1 time 10 mean 10 reads([[C]][2] tokens 4 capacity 4) makes(1) : (!dataflow.token<2>) -> !dataflow.token<1>
  %b = dataflow.actor slice @c1.b on @c1 time 10 mean 10 reads(%c[2] tokens 4 capacity 4) makes(1) : (!dataflow.token<2>) -> !dataflow.token<1>
  // CHECK-NEXT: dataflow.actor output @y time 0 mean 0 reads([[B]][1], [[A2]][2]) : (!dataflow.token<1>, !dataflow.token<0>) -> ()
  dataflow.actor output @y time 0 mean 0 reads(%b[1], %a2[2]) : (!dataflow.token<1>, !dataflow.token<0>) -> ()
  // CHECK-NEXT: dataflow.order @c0 [@c0.a] utilisation 60/91
  dataflow.order @c0 [@c0.a] utilisation 60/91
  // CHECK-NEXT: dataflow.order @c1 [@c1.b] {note = "y"}
  dataflow.order @c1 [@c1.b] {note = "y"}
  // CHECK-NEXT: }
}

// -----

// An empty graph, names that are no identifiers, an order of nothing.
// CHECK: dataflow.graph of @"0" unit "ps" activity "worst" {
dataflow.graph of @"0" unit "ps" activity "worst" {
  // CHECK-NEXT: dataflow.actor slice @"c 0.a/b" on @"c 0" time 1 mean 1 : () -> ()
  dataflow.actor slice @"c 0.a/b" on @"c 0" time 1 mean 1 reads() makes() : () -> ()
  // CHECK-NEXT: dataflow.order @"c 0" [@"c 0.a/b"]
  dataflow.order @"c 0" [@"c 0.a/b"]
  // CHECK-NEXT: dataflow.order @c1 []
  dataflow.order @c1 []
  // CHECK-NEXT: }
}
// CHECK: dataflow.graph of @none unit "s" activity "worst" {
// CHECK-NEXT: }
dataflow.graph of @none unit "s" activity "worst" {
}

// -----

"test.op"() {
  // CHECK: attributes = [!dataflow.token<21>, #dataflow.rational<7/2>, #dataflow.rational<-1/3>, #dataflow.rational<2>]
  attributes = [!dataflow.token<21>, #dataflow.rational<14/4>, #dataflow.rational<-1/3>, #dataflow.rational<2/1>],
  // CHECK-SAME: uses = [#dataflow.use<[1]>, #dataflow.use<[3] tokens 1 capacity 3>]
  uses = [#dataflow.use<[1] tokens 0>, #dataflow.use<[3] tokens 1 capacity 3>]
} : () -> ()

// -----

// Stages: only those that are not 0 are written.
// CHECK: dataflow.graph @stages activity "worst" {
dataflow.graph @stages activity "worst" {
  // CHECK-NEXT: dataflow.actor task @a on @c0 time 1
  dataflow.actor task @a on @c0 time 1 : () -> ()
  // CHECK-NEXT: dataflow.actor task @b on @c0 time 1
  dataflow.actor task @b on @c0 time 1 : () -> ()
  // CHECK-NEXT: dataflow.actor task @c on @c1 time 1
  dataflow.actor task @c on @c1 time 1 : () -> ()
  // CHECK-NEXT: dataflow.order @c0 [@a stage 2, @b] wheel 8 slice 4
  dataflow.order @c0 [@a stage 2, @b stage 0] wheel 8 slice 4
  // CHECK-NEXT: dataflow.order @c1 [@c]
  dataflow.order @c1 [@c stage 0]
  // CHECK-NEXT: }
}

// -----

// A graph of its own, without a unit: phases, processors, what channels ask for, a slice of a wheel.
// CHECK: dataflow.graph @"my graph" activity "worst" throughput 3/1000 unbounded latency 7 {
dataflow.graph @"my graph" activity "worst" throughput 3/1000 unbounded latency 7 {
  // CHECK-NEXT: [[P:%.+]], [[Q:%.+]] = dataflow.actor task @parse on @t0 time [3, 4] processors("dsp" [3, 4] memory 128, "a \22b\22" 5) reads([[Q]][1, 0] tokens 3 capacity 8 name "c 1" source 4 target 5 memory 6 bandwidth 3/2 latency 7) makes([2, 1], 1) : (!dataflow.token<1>) -> (!dataflow.token<512>, !dataflow.token<1>)
  %p, %q = dataflow.actor task @parse on @t0 time [3, 4] processors("dsp" [3, 4] memory 128, "a \"b\"" [5]) reads(%q[1, 0] tokens 3 capacity 8 name "c 1" source 4 target 5 memory 6 bandwidth 3/2 latency 7) makes([2, 1], [1]) : (!dataflow.token<1>) -> (!dataflow.token<512>, !dataflow.token<1>)
  // CHECK-NEXT: dataflow.actor task @show on @t0 time 2 mean [1, 2] reads([[P]][1]) : (!dataflow.token<512>) -> ()
  dataflow.actor task @show on @t0 time 2 mean [1, 2] reads(%p[1]) : (!dataflow.token<512>) -> ()
  // CHECK-NEXT: dataflow.order @t0 [@parse, @parse, @show, @show, @show] wheel 8 slice 4 utilisation 1/2
  dataflow.order @t0 [@parse, @parse, @show, @show, @show] wheel 8 slice 4 utilisation 1/2
  // CHECK-NEXT: }
}
// CHECK: dataflow.graph of @net activity "peak" {
// CHECK-NEXT: }
dataflow.graph of @net activity "peak" {
}

// -----

// CHECK: dataflow.architecture @pair attributes {note = "x"} {
dataflow.architecture @pair attributes {note = "x"} {
  // CHECK-NEXT: dataflow.tile @t0 processor "a \22b\22" wheel 8 memory 1024 connections 2 input 96 output 95 {note = "y"}
  dataflow.tile @t0 processor "a \"b\"" wheel 8 memory 1024 connections 2 input 96 output 95 {note = "y"}
  // CHECK-NEXT: dataflow.tile @t1 processor "dsp" memory 0
  dataflow.tile @t1 processor "dsp" memory 0
  // CHECK-NEXT: dataflow.connection @c from @t0 to @t1 delay 3
  dataflow.connection @c from @t0 to @t1 delay 3
  // CHECK-NEXT: dataflow.connection @c from @t1 to @t0 delay 0 {note = "z"}
  dataflow.connection @c from @t1 to @t0 delay 0 {note = "z"}
  // CHECK-NEXT: }
}

// -----

"test.op"() {
  // CHECK: phases = [#dataflow.phases<3>, #dataflow.phases<[3, 0]>, #dataflow.phases<2>]
  phases = [#dataflow.phases<3>, #dataflow.phases<[3, 0]>, #dataflow.phases<[2]>],
  // CHECK-SAME: types = [#dataflow.processor<"arm" [3, 4] memory 128>, #dataflow.processor<"\C3\A9" 0>]
  types = [#dataflow.processor<"arm" [3, 4] memory 128>, #dataflow.processor<"é" 0>],
  // CHECK-SAME: use = #dataflow.use<[1, 0] tokens 1 name "c">
  use = #dataflow.use<[1, 0] tokens 1 name "c">
} : () -> ()

// -----

// A channel that changes the rate: only the analysis knows how often @b fires.
// CHECK: dataflow.graph @multirate activity "worst" {
dataflow.graph @multirate activity "worst" {
  %a = dataflow.actor task @a on @t time 1 makes(2) : () -> !dataflow.token<1>
  dataflow.actor task @b on @t time 1 reads(%a[1]) : (!dataflow.token<1>) -> ()
  // CHECK: dataflow.order @t [@a, @b, @b]
  dataflow.order @t [@a, @b, @b]
}
