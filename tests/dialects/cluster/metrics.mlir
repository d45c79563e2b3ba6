// RUN: ROUNDTRIP
// RUN: GENERIC_ROUNDTRIP

// What cluster-metrics attaches: with routes and energy, with routes, without.
// CHECK: #cluster.metrics<used(clusters = 2, slices = 3, weights = 96, rows = 0.5, columns = 0.75, cells = 0.25), traffic(profiled = true, driven = 3.5, spikes = 1.0e-07, sums = 8), routed(hops = 2, entries = 2, fullest = 1, flits = 4.5, busiest = 2.5, energy = 13.5)>
"test.op"() {m = #cluster.metrics<used(clusters = 2, slices = 3, weights = 96, rows = 0.5, columns = 0.75, cells = 0.25), traffic(profiled = true, driven = 3.5, spikes = 1.0e-07, sums = 8), routed(hops = 2, entries = 2, fullest = 1, flits = 4.5, busiest = 2.5, energy = 13.5)>} : () -> ()

// CHECK: routed(hops = 2, entries = 2, fullest = 1, flits = 4.0, busiest = 2.0)>
"test.op"() {m = #cluster.metrics<traffic(profiled = false, driven = 3, spikes = 1, sums = 0), used(clusters = 2, slices = 3, weights = 96, rows = 1, columns = 1, cells = 0), routed(hops = 2, entries = 2, fullest = 1, flits = 4, busiest = 2)>} : () -> ()

// CHECK: traffic(profiled = false, driven = 0.0, spikes = 0.0, sums = 0)>
"test.op"() {m = #cluster.metrics<used(clusters = 0, slices = 0, weights = 0, rows = 0, columns = 0, cells = 0), traffic(profiled = false, driven = 0, spikes = 0, sums = 0)>} : () -> ()
