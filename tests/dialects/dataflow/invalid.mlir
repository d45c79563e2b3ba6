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

// CHECK: error: dataflow.graph: an actor is twice in the order of @c0
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

// CHECK: error: dataflow.actor: @a: no kind 'tile'; there are slice, send, carry, input, output, task
dataflow.graph of @n unit "ns" activity "worst" {
  "dataflow.actor"() <{sym_name = "a", kind = "tile", time = #dataflow.phases<1>, mean = #dataflow.phases<1>, concurrent = #builtin.int<0>, channels = [], rates = []}> : () -> ()
}

// -----

// CHECK: error: dataflow.actor: @a: concurrent is 0 or 1
dataflow.graph of @n unit "ns" activity "worst" {
  "dataflow.actor"() <{sym_name = "a", kind = "slice", time = #dataflow.phases<1>, mean = #dataflow.phases<1>, concurrent = #builtin.int<2>, channels = [], rates = []}> : () -> ()
}

// -----

// CHECK: error: dataflow.actor: @a: one consuming end per operand, one rate per result
dataflow.graph of @n unit "ns" activity "worst" {
  %a = dataflow.actor slice @a time 1 mean 1 : () -> !dataflow.token<1>
}

// -----

// CHECK: error: dataflow.actor: @a: one consuming end per operand, one rate per result
dataflow.graph of @n unit "ns" activity "worst" {
  "dataflow.actor"() <{sym_name = "a", kind = "slice", time = #dataflow.phases<1>, mean = #dataflow.phases<1>, concurrent = #builtin.int<0>, channels = [#dataflow.use<[1]>], rates = []}> : () -> ()
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

// An attribute that the syntax of an operation makes has the place of the operation.
// CHECK: invalid.mlir:{{2[0-9]+}}:3: error: a rate is at least 1, initial tokens are not negative
dataflow.graph @n activity "worst" {
  %a = dataflow.actor task @a time 1 makes(1) : () -> !dataflow.token<1>
  dataflow.actor task @b time 1 reads(%a[1] tokens -1) : (!dataflow.token<1>) -> ()
}

// -----

// CHECK: error: #dataflow.use: a rate is at least 1, initial tokens are not negative
"test.op"() {a = #dataflow.use<[1] tokens -1>} : () -> ()

// -----

// CHECK: error: #dataflow.use: a capacity of 1 is less than the initial tokens, or than what one firing takes
"test.op"() {a = #dataflow.use<[1] tokens 2 capacity 1>} : () -> ()

// -----

// CHECK: error: a denominator is not zero
"test.op"() {a = #dataflow.rational<1/0>} : () -> ()

// -----

// CHECK: error: a list of phases is not empty
"test.op"() {a = #dataflow.phases<[]>} : () -> ()

// -----

// CHECK: error: #dataflow.use: no phase takes less than 0 tokens, and one at least takes some
"test.op"() {a = #dataflow.use<[0, 0]>} : () -> ()

// -----

// CHECK: error: #dataflow.use: no phase takes less than 0 tokens, and one at least takes some
"test.op"() {a = #dataflow.use<[2, -1]>} : () -> ()

// -----

// CHECK: error: #dataflow.use: a rate is at least 1, initial tokens are not negative
"test.op"() {a = #dataflow.use<[]>} : () -> ()

// -----

// CHECK: error: #dataflow.use: a capacity of 3 is less than the initial tokens, or than what one firing takes
"test.op"() {a = #dataflow.use<[1, 4] capacity 3>} : () -> ()

// -----

// CHECK: error: #dataflow.use: the bandwidth of a channel is not negative
"test.op"() {a = #dataflow.use<[1] bandwidth -1/2>} : () -> ()

// -----

// CHECK: error: #dataflow.processor: neither times nor memory are negative
"test.op"() {a = #dataflow.processor<"arm" [1, -1]>} : () -> ()

// -----

// CHECK: error: #dataflow.processor: neither times nor memory are negative
"test.op"() {a = #dataflow.processor<"arm" 1 memory -1>} : () -> ()

// -----

// CHECK: error: dataflow.actor: @a: no phase makes less than 0 tokens, and one at least makes some
dataflow.graph activity "worst" {
  %a = dataflow.actor task @a time 1 makes([0, 0]) : () -> !dataflow.token<1>
}

// -----

// CHECK: error: dataflow.actor: @a: times are not negative, rates at least 1
dataflow.graph activity "worst" {
  dataflow.actor task @a time [1, -1] : () -> ()
}

// -----

// CHECK: error: dataflow.actor: @a: times are not negative, rates at least 1
dataflow.graph activity "worst" {
  dataflow.actor task @a time 1 mean [1, -1] : () -> ()
}

// -----

// CHECK: error: dataflow.actor: @a: names a type of processor twice
dataflow.graph activity "worst" {
  dataflow.actor task @a time 1 processors("p" 1, "p" 2) : () -> ()
}

// -----

// CHECK: error: dataflow.graph: the throughput that a graph is meant to reach is more than 0
dataflow.graph activity "worst" throughput 0 {

}

// -----

// CHECK: error: dataflow.graph: a graph of unbounded throughput has no period
dataflow.graph activity "worst" unbounded period 1 {

}

// -----

// CHECK: error: dataflow.graph: an actor is twice in the order of @t
dataflow.graph activity "worst" {
  %a = dataflow.actor task @a on @t time 1 makes(2) : () -> !dataflow.token<1>
  dataflow.actor task @b on @t time 1 reads(%a[2]) : (!dataflow.token<1>) -> ()
  dataflow.order @t [@a, @b, @b]
}

// -----

// CHECK: error: dataflow.order: a wheel and a slice of it are given together
dataflow.graph activity "worst" {
  dataflow.actor task @a on @t time 1 : () -> ()
  dataflow.order @t [@a] wheel 8
}

// -----

// CHECK: error: dataflow.order: a slice of 9 is no part of a wheel of 8
dataflow.graph activity "worst" {
  dataflow.actor task @a on @t time 1 : () -> ()
  dataflow.order @t [@a] wheel 8 slice 9
}

// -----

// CHECK: error: dataflow.order: a slice of 0 is no part of a wheel of 8
dataflow.graph activity "worst" {
  dataflow.actor task @a on @t time 1 : () -> ()
  dataflow.order @t [@a] wheel 8 slice 0
}

// -----

// CHECK: error: dataflow.architecture: Redefinition of symbol "t"
dataflow.architecture @a {
  dataflow.tile @t processor "p"
  dataflow.tile @t processor "p"
}

// -----

// CHECK: error: dataflow.architecture: @c: there is no tile @u
dataflow.architecture @a {
  dataflow.tile @t processor "p"
  dataflow.connection @c from @t to @u delay 1
}

// -----

// CHECK: error: dataflow.architecture: an architecture holds tiles and connections, not test.op
dataflow.architecture @a {
  "test.op"() : () -> ()
}

// -----

// CHECK: error: dataflow.tile: wheel of tile t is 0; it must be at least 1
dataflow.architecture @a {
  dataflow.tile @t processor "p" wheel 0
}

// -----

// CHECK: error: dataflow.connection: @c: a delay is not negative
dataflow.architecture @a {
  dataflow.tile @t processor "p"
  dataflow.connection @c from @t to @t delay -1
}

// -----

// CHECK: error: Expected integer literal
dataflow.graph activity "worst" {
  dataflow.actor task @a on @t time 1 : () -> ()
  dataflow.order @t [@a stage -1]
}

// -----

// CHECK: error: dataflow.order: one stage for each entry of an order, at least 0
dataflow.graph activity "worst" {
  dataflow.actor task @a on @t time 1 : () -> ()
  "dataflow.order"() <{crossbar = "t", order = [@a], stages = [#builtin.int<1>, #builtin.int<0>]}> : () -> ()
}

// -----

// CHECK: error: dataflow.order: one stage for each entry of an order, at least 0
dataflow.graph activity "worst" {
  dataflow.actor task @a on @t time 1 : () -> ()
  "dataflow.order"() <{crossbar = "t", order = [@a], stages = [#builtin.int<-1>]}> : () -> ()
}

// -----

// CHECK: error: dataflow.graph: the order of @t has stages, but not every actor fires once per iteration
dataflow.graph activity "worst" {
  %a = dataflow.actor task @a on @t time 1 makes(2) : () -> !dataflow.token<1>
  dataflow.actor task @b on @t time 1 reads(%a[1]) : (!dataflow.token<1>) -> ()
  dataflow.order @t [@a, @b stage 1, @b stage 1]
}
