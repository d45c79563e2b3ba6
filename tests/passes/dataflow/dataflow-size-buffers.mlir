// RUN: snn-opt %s -p dataflow-size-buffers --split-input-file | filecheck %s
// RUN: snn-opt %s -p 'dataflow-size-buffers{algorithm=incremental}' --split-input-file | filecheck %s
// RUN: snn-opt %s -p 'dataflow-size-buffers,dataflow-analyze-throughput{slack=false}' --split-input-file | filecheck %s --check-prefix=KEPT
// RUN: snn-opt %s -p 'dataflow-size-buffers{pareto=true weight=size}' --split-input-file | filecheck %s --check-prefix=FRONT

// @b is busy all the time when @a can work for it meanwhile (2 tokens) and has space for its own two tokens while @c
// takes the two before (4). A channel from an actor to itself stays as it is; what was analysed before is removed.
// CHECK:      dataflow.graph @pair activity "worst" {
// CHECK-NEXT:   dataflow.actor task @a time 1 mean 1 makes(1) :
// CHECK-NEXT:   dataflow.actor task @b time 6 mean 6 reads(%{{.*}}[1] capacity 2, %{{.*}}[1] tokens 1) makes(2, 1) :
// CHECK-NEXT:   dataflow.actor task @c time 1 mean 1 reads(%{{.*}}[1] capacity 4) :
// KEPT:       dataflow.graph @pair activity "worst" period 6
// A token for @b takes 4: the sizes are 1 * 4 + 2, 1 * 4 + 3, 2 * 4 + 4.
// FRONT:      dataflow.graph @pair activity "worst" attributes {pareto = [
// FRONT-SAME: {size = 6 : i64, period = #dataflow.rational<8>}, {size = 7 : i64, period = #dataflow.rational<7>},
// FRONT-SAME: {size = 12 : i64, period = #dataflow.rational<6>}]}
builtin.module {
  dataflow.graph @pair activity "worst" period 6 latency 8 predicted 6 critical [@b] {
    %a = dataflow.actor task @a time 1 mean 1 makes(1) start 0 slack 5 : () -> !dataflow.token<4>
    %b, %s = dataflow.actor task @b time 6 mean 6 reads(%a[1] capacity 9, %s[1] tokens 1) makes(2, 1) : (!dataflow.token<4>, !dataflow.token<0>) -> (!dataflow.token<1>, !dataflow.token<0>)
    dataflow.actor task @c time 1 mean 1 reads(%b[1] capacity 9) : (!dataflow.token<1>) -> ()
  }
}

// -----

// A mapped network: @x claims space before transport, 5 + 7 + 9 units until the end of @y: at a period of 9, 3 tokens;
// the channels in between have no capacity. From the start of @y to the end of @z, which is two iterations behind
// on @c0, it is 9 + 2 + 4 units: 2 tokens.
// CHECK:      dataflow.graph of @toy
// CHECK:        dataflow.actor slice @y on @c1 time 9 mean 9 reads(%{{.*}}[1] capacity 3)
// CHECK-NEXT:   dataflow.actor send @s time 2 mean 2 reads(%{{[a-z]*}}[1]) makes(1)
// CHECK-NEXT:   dataflow.actor slice @z on @c0 time 4 mean 4 reads(%{{.*}}[1] capacity 2)
// KEPT:       dataflow.graph of @toy unit "ns" activity "worst" period 9
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor slice @x on @c0 time 5 mean 5 makes(1) : () -> !dataflow.token<2>
    %t = dataflow.actor send @t time 7 mean 7 reads(%x[1]) makes(1) : (!dataflow.token<2>) -> !dataflow.token<2>
    %y = dataflow.actor slice @y on @c1 time 9 mean 9 reads(%t[1] capacity 6) makes(1) : (!dataflow.token<2>) -> !dataflow.token<2>
    %s = dataflow.actor send @s time 2 mean 2 reads(%y[1]) makes(1) : (!dataflow.token<2>) -> !dataflow.token<2>
    dataflow.actor slice @z on @c0 time 4 mean 4 reads(%s[1] capacity 6) : (!dataflow.token<2>) -> ()
    dataflow.order @c0 [@x, @z stage 2]
    dataflow.order @c1 [@y]
  }
}

// -----

// Two slices of @c1 read what @x sends: it is in the buffer once, for both. @z is two steps behind, so 5 tokens keep it and
// transport busy; less for @y, which waits for no old tokens, would not make the buffer smaller.
// CHECK:      dataflow.graph of @shared
// CHECK:        actor slice @y on @c1 {{.*}} reads(%{{.*}}[1] capacity 5)
// CHECK-NEXT:   actor slice @z on @c1 {{.*}} reads(%{{.*}}[1] tokens 2 capacity 5, %{{.*}}[1] capacity 1)
// KEPT:       dataflow.graph of @shared unit "ns" activity "worst" period 13
// FRONT:      dataflow.graph of @shared unit "ns" activity "worst" attributes {pareto = [
// FRONT-SAME: {size = 8 : i64, period = #dataflow.rational<32>},
// FRONT-SAME: {size = 12 : i64, period = #dataflow.rational<13>}]}
builtin.module {
  dataflow.graph of @shared unit "ns" activity "worst" {
    %x = dataflow.actor slice @x on @c0 time 5 mean 5 makes(1) : () -> !dataflow.token<2>
    %s = dataflow.actor send @s time 7 mean 7 reads(%x[1]) makes(1) : (!dataflow.token<2>) -> !dataflow.token<2>
    %t = dataflow.actor carry @t time 7 mean 7 concurrent reads(%s[1]) makes(1) : (!dataflow.token<2>) -> !dataflow.token<2>
    %y = dataflow.actor slice @y on @c1 time 9 mean 9 reads(%t[1] capacity 6) makes(1) : (!dataflow.token<2>) -> !dataflow.token<2>
    %z = dataflow.actor slice @z on @c1 time 4 mean 4 reads(%t[1] tokens 2 capacity 8, %y[1] capacity 2) makes(1) : (!dataflow.token<2>, !dataflow.token<2>) -> !dataflow.token<2>
    dataflow.order @c0 [@x]
    dataflow.order @c1 [@y, @z]
  }
}
