// RUN: snn-opt %s -p dataflow-analyze-throughput --split-input-file | filecheck %s
// RUN: snn-opt %s -p "dataflow-analyze-throughput{slack=false}" --split-input-file | filecheck %s --check-prefix=QUICK

// The loop of @a and @b takes 50 for one token: that is the period, and at mean times 30. Step 0 leaves @b at 50.
// @x may take 50 too before its own firings, one at a time, set the period.
// CHECK:      dataflow.graph of @toy unit "ns" activity "worst" period 50 latency 50 predicted 30 critical [@{{[ab]}}, @{{[ab]}}]
// CHECK:      @x time 0 mean 0 makes(1) start 0 slack 50
// CHECK:      @a on @c0 {{.*}} start 0 slack 0
// CHECK:      @b on @c1 {{.*}} start 30 slack 0
// CHECK:      @y {{.*}} start 50
// QUICK:      period 50 latency 50 predicted 30
// QUICK-NOT:  slack
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 1 capacity 3) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c1 time 20 mean 10 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}

// -----

// With three tokens the loop would allow 50 / 3, and @a sets the period by itself: 30.
// CHECK:      period 30 latency 50 predicted 20 critical [@a]
// CHECK:      @a {{.*}} slack 0
// CHECK:      @b {{.*}} slack 10
// QUICK:      period 30 latency 50 predicted 20
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 3 capacity 5) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c1 time 20 mean 10 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}

// -----

// Both on one crossbar, one after the other: 50 again, and the crossbar is never idle.
// CHECK:      period 50 latency 50 predicted 30
// CHECK:      dataflow.order @c0 [@a, @b] utilisation 1
// QUICK:      dataflow.order @c0 [@a, @b] utilisation 1
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 3 capacity 5) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c0 time 20 mean 10 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
    dataflow.order @c0 [@a, @b]
  }
}

// -----

// Space for one token only: @a waits until @b is done with it.
// CHECK:      period 50 latency 50 predicted 30 critical [@a, @b]
// QUICK:      period 50 latency 50 predicted 30
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 3 capacity 5) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c1 time 20 mean 10 reads(%a[1] capacity 1) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}

// -----

// A slice of 4 in a wheel of 8: each firing of 16 may take 16 + 4 gaps of 4, so 64 for both; the tile works for half.
// CHECK:      dataflow.graph @half activity "worst" period 64 latency 64 predicted 64
// CHECK:      dataflow.order @t [@a, @b] wheel 8 slice 4 utilisation 1/2
// QUICK:      period 64
builtin.module {
  dataflow.graph @half activity "worst" {
    %a = dataflow.actor task @a on @t time 16 makes(1) : () -> !dataflow.token<1>
    dataflow.actor task @b on @t time 16 reads(%a[1]) : (!dataflow.token<1>) -> ()
    dataflow.order @t [@a, @b] wheel 8 slice 4
  }
}

// -----

// A slice of 3: each firing alone may take 16 + 6 gaps of 5, but both together no more than 85 1/3, 32 units at 3/8 of
// the time. The first slice may begin 5 units late.
// CHECK:      period 256/3 latency 271/3 predicted 256/3 critical [@{{[ab]}}, @{{[ab]}}]
// CHECK:      @a {{.*}} start 5 slack 0
// CHECK:      @b {{.*}} start 143/3 slack 0
// CHECK:      wheel 8 slice 3 utilisation 3/8
// QUICK:      period 256/3 latency 271/3
builtin.module {
  dataflow.graph @less activity "worst" {
    %a = dataflow.actor task @a on @t time 16 makes(1) : () -> !dataflow.token<1>
    dataflow.actor task @b on @t time 16 reads(%a[1]) : (!dataflow.token<1>) -> ()
    dataflow.order @t [@a, @b] wheel 8 slice 3
  }
}

// -----

// Two phases of @a make three tokens: an iteration is @a twice and @b three times, 3 + 4 + 3 * 2 on one tile.
// CHECK:      period 13 latency 13 predicted 13 critical
// CHECK:      dataflow.order @t [@a, @a, @b, @b, @b] utilisation 1
// QUICK:      period 13
builtin.module {
  dataflow.graph @phases activity "worst" {
    %a = dataflow.actor task @a on @t time [3, 4] makes([2, 1]) : () -> !dataflow.token<1>
    dataflow.actor task @b on @t time 2 reads(%a[1]) : (!dataflow.token<1>) -> ()
    dataflow.order @t [@a, @a, @b, @b, @b]
  }
}

// -----

// Nothing limits how many firings run at once: that is said instead of a period, and removed when it is not so.
// CHECK:      dataflow.graph @free activity "worst" unbounded latency 5 {
// QUICK:      dataflow.graph @free activity "worst" unbounded latency 5 {
builtin.module {
  dataflow.graph @free activity "worst" period 3 {
    %a = dataflow.actor task @a time 3 concurrent makes(1) : () -> !dataflow.token<1>
    dataflow.actor task @b time 2 concurrent reads(%a[1]) : (!dataflow.token<1>) -> ()
  }
}

// -----

// CHECK:      dataflow.graph @bound activity "worst" period 3 latency 3
// QUICK:      dataflow.graph @bound activity "worst" period 3 latency 3
builtin.module {
  dataflow.graph @bound activity "worst" unbounded {
    dataflow.actor task @a time 3 mean 2 : () -> ()
  }
}
