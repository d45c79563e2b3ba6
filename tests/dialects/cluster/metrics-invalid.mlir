// RUN: snn-opt %s --verify-diagnostics --parsing-diagnostics --split-input-file | filecheck %s

// CHECK: error: used.weights is missing
"test.op"() {m = #cluster.metrics<used(clusters = 2, slices = 3, rows = 0.5, columns = 0.75, cells = 0.25), traffic(profiled = true, driven = 3.5, spikes = 1.25, sums = 8)>} : () -> ()

// -----

// CHECK: error: used.crossbars is unknown
"test.op"() {m = #cluster.metrics<used(crossbars = 1, clusters = 2, slices = 3, weights = 1, rows = 0.5, columns = 0.75, cells = 0.25), traffic(profiled = true, driven = 3.5, spikes = 1.25, sums = 8)>} : () -> ()

// -----

// CHECK: error: 'traffic' is missing
"test.op"() {m = #cluster.metrics<used(clusters = 2, slices = 3, weights = 1, rows = 0.5, columns = 0.75, cells = 0.25)>} : () -> ()

// -----

// CHECK: error: no part 'links' in metrics; there are used, traffic, routed
"test.op"() {m = #cluster.metrics<links(a = 2)>} : () -> ()

// -----

// CHECK: error: 'used' is given twice
"test.op"() {m = #cluster.metrics<used(clusters = 2), used(clusters = 2)>} : () -> ()

// -----

// CHECK: error: used.clusters is a number, whole where it counts things
"test.op"() {m = #cluster.metrics<used(clusters = 2.5, slices = 3, weights = 1, rows = 0.5, columns = 0.75, cells = 0.25), traffic(profiled = true, driven = 3.5, spikes = 1.25, sums = 8)>} : () -> ()

// -----

// CHECK: error: traffic.profiled is true or false
"test.op"() {m = #cluster.metrics<used(clusters = 2, slices = 3, weights = 1, rows = 0.5, columns = 0.75, cells = 0.25), traffic(profiled = 1, driven = 3.5, spikes = 1.25, sums = 8)>} : () -> ()

// -----

// CHECK: error: #cluster.metrics: driven is a number, 0 or more, not -3.5
"test.op"() {m = #cluster.metrics<used(clusters = 2, slices = 3, weights = 1, rows = 0.5, columns = 0.75, cells = 0.25), traffic(profiled = true, driven = -3.5, spikes = 1.25, sums = 8)>} : () -> ()

// -----

// CHECK: error: #cluster.metrics: rows, columns and cells are shares, 1 at most
"test.op"() {m = #cluster.metrics<used(clusters = 2, slices = 3, weights = 1, rows = 1.5, columns = 0.75, cells = 0.25), traffic(profiled = true, driven = 3.5, spikes = 1.25, sums = 8)>} : () -> ()

// -----

// CHECK: error: cluster.program: the attribute cluster.metrics is no #cluster.metrics
snn.network @n dt 0.001 {
}
cluster.program of @n attributes {"cluster.metrics" = 3 : i64} {
}
