// RUN: snn-opt %s --verify-diagnostics --parsing-diagnostics --split-input-file | filecheck %s

// CHECK: error: dataflow.graph: no time unit 'fs'; there are s, ms, us, ns, ps
dataflow.graph of @n unit "fs" activity "worst" {

}

// -----

// CHECK: error: dataflow.graph: the activity is peak or worst, not 'mean'
dataflow.graph of @n unit "ns" activity "mean" {

}

// -----

// CHECK: error: dataflow.graph: period is a time, at least 0
dataflow.graph of @n unit "ns" activity "peak" period -1/2 {

}

// -----

// CHECK: error: a denominator is not zero
dataflow.graph of @n unit "ns" activity "peak" period 1/0 {

}

// -----

// CHECK: error: dataflow.graph: a graph takes no block arguments; tokens from outside come from input actors
dataflow.graph of @n unit "ns" activity "worst" {
  ^bb0(%x : !dataflow.token<1>):
}

// -----

// CHECK: error: dataflow.graph: Redefinition of symbol "a"
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
  %b = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
}

// -----

// CHECK: error: dataflow.graph: there is no actor @b to be critical
dataflow.graph of @n unit "ns" activity "peak" critical [@a, @b] {
  %a = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
}

// -----

// CHECK: error: dataflow.graph: @b: takes tokens that no actor of the graph makes
dataflow.graph of @n unit "ns" activity "worst" {
  %x = "test.op"() : () -> !dataflow.token<1>
  dataflow.actor slice @b time 1 mean 1 reads(%x[1]) : (!dataflow.token<1>) -> ()
}

// -----

// CHECK: error: dataflow.graph: @s: send passes one channel on and takes no other
dataflow.graph of @n unit "ns" activity "worst" {
  %s = dataflow.actor send @s time 1 mean 1 makes(1) : () -> !dataflow.token<1>
}

// -----

// CHECK: error: dataflow.graph: @s: carry passes one channel on and takes no other
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
  dataflow.actor carry @s time 1 mean 1 reads(%a[1], %a[1]) : (!dataflow.token<1>, !dataflow.token<1>) -> ()
}

// -----

// CHECK: error: dataflow.graph: @s: tokens that are only passed on come from nowhere
dataflow.graph of @n unit "ns" activity "worst" {
  %s = dataflow.actor send @s time 1 mean 1 reads(%t[1]) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
  %t = dataflow.actor carry @t time 1 mean 1 reads(%s[1] tokens 1) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
}

// -----

// CHECK: error: dataflow.graph: the order of @c0 names @z, which does not fire there
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
  dataflow.order @c0 [@a, @z]
}

// -----

// CHECK: error: dataflow.graph: the order of @c0 names @b, which does not fire there
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
  dataflow.actor slice @b on @c1 time 1 mean 1 : () -> ()
  dataflow.order @c0 [@a, @b]
}

// -----

// CHECK: error: dataflow.graph: the order of @c0 leaves out @a, @d
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
  %d = dataflow.actor slice @d on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
  dataflow.order @c0 []
}

// -----

// CHECK: error: dataflow.graph: @c0 has two orders
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
  dataflow.order @c0 [@a]
  dataflow.order @c0 [@a]
}

// -----

// CHECK: error: dataflow.graph: @c1 has no order, but other crossbars have
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
  dataflow.actor slice @b on @c1 time 1 mean 1 : () -> ()
  dataflow.order @c0 [@a]
}

// -----

// CHECK: error: dataflow.order: an actor is twice in the order of @c0
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
  dataflow.order @c0 [@a, @a]
}

// -----

// CHECK: error: dataflow.order: a utilisation is between 0 and 1
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a on @c0 time 1 mean 1 makes(1) : () -> !dataflow.token<1>
  dataflow.order @c0 [@a] utilisation 3/2
}

// -----

// CHECK: error: dataflow.order: Expected SymbolRefAttr with no nested symbols.
dataflow.graph of @n unit "ns" activity "worst" {
  "dataflow.order"() <{crossbar = "c0", order = [@c0::@a]}> : () -> ()
}

// -----

// CHECK: error: dataflow.actor: @a: no kind 'tile'; there are slice, send, carry, input, output
dataflow.graph of @n unit "ns" activity "worst" {
  "dataflow.actor"() <{sym_name = "a", kind = "tile", time = #builtin.int<1>, mean = #builtin.int<1>, concurrent = #builtin.int<0>, channels = [], rates = []}> : () -> ()
}

// -----

// CHECK: error: dataflow.actor: @a: concurrent is 0 or 1
dataflow.graph of @n unit "ns" activity "worst" {
  "dataflow.actor"() <{sym_name = "a", kind = "slice", time = #builtin.int<1>, mean = #builtin.int<1>, concurrent = #builtin.int<2>, channels = [], rates = []}> : () -> ()
}

// -----

// CHECK: error: dataflow.actor: @a: one consuming end per operand, one rate per result
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a time 1 mean 1 : () -> !dataflow.token<1>
}

// -----

// CHECK: error: dataflow.actor: @a: one consuming end per operand, one rate per result
dataflow.graph of @n unit "ns" activity "worst" {
  "dataflow.actor"() <{sym_name = "a", kind = "slice", time = #builtin.int<1>, mean = #builtin.int<1>, concurrent = #builtin.int<0>, channels = [#dataflow.use<[1]>], rates = []}> : () -> ()
}

// -----

// CHECK: error: dataflow.actor: @a: times are not negative, rates at least 1
dataflow.graph of @n unit "ns" activity "worst" {
  dataflow.actor slice @a time -1 mean 1 : () -> ()
}

// -----

// CHECK: error: dataflow.actor: @a: times are not negative, rates at least 1
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a time 1 mean 1 makes(0) : () -> !dataflow.token<1>
}

// -----

// CHECK: error: dataflow.actor: @a: shares a crossbar, so it fires one step at a time
dataflow.graph of @n unit "ns" activity "worst" {
  dataflow.actor slice @a on @c0 time 1 mean 1 concurrent : () -> ()
}

// -----

// CHECK: error: dataflow.actor: slack is a time, at least 0
dataflow.graph of @n unit "ns" activity "worst" {
  dataflow.actor slice @a time 1 mean 1 slack -1 : () -> ()
}

// -----

// CHECK: error: #dataflow.use: a rate is at least 1, initial tokens are not negative
"test.op"() {a = #dataflow.use<[0]>} : () -> ()

// -----

// CHECK: error: #dataflow.use: a rate is at least 1, initial tokens are not negative
"test.op"() {a = #dataflow.use<[1] tokens -1>} : () -> ()

// -----

// CHECK: error: #dataflow.use: a capacity of 1 holds neither the initial tokens nor one firing
"test.op"() {a = #dataflow.use<[1] tokens 2 capacity 1>} : () -> ()

// -----

// CHECK: error: a denominator is not zero
"test.op"() {a = #dataflow.rational<1/0>} : () -> ()
