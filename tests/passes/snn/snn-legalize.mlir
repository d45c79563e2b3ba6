// RUN: snn-opt %s -p "snn-legalize{models=relu,clip}" --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p "snn-legalize{models=relu,clip,leaky_relu,tanh max-pool=avg}" | filecheck %s --check-prefix=MORE

// A leaky relu is two relu; readers take the slope into their weights.
// CHECK-DAG:  %[[P:.*]] = snn.relu @leaky_plus(%x)
// CHECK-DAG:  %[[N:.*]] = snn.scale %x by -1.0
// CHECK-DAG:  snn.relu @leaky_minus(%[[N]])
// MORE:       snn.leaky_relu @leaky(%x)
// The pool of what has a sign reads a pair of its own.
// CHECK-DAG:  snn.relu @leaky_plus_max_plus
// CHECK:      snn.relu @leaky_plus_max_level0({{.*}}) : !snn.signal<1x2, f64>
// MORE:       snn.avg_pool

// Tanh becomes clips, one per piece, and a relu that joins them one above tanh.
// CHECK:      snn.clip @t_piece0
// CHECK:      snn.relu @t_above
// MORE:       snn.tanh @t

// The output reads a current: a clip emits it.
// CHECK:      %[[E:.*]] = snn.clip @y_value({{.*}}) with (low = -1048576.0, high = 1048576.0)
// CHECK:      snn.output @y %[[E]]
// CHECK:      1 activations exact
// CHECK:      1 activations fitted
// CHECK:      1 ends
// CHECK:      1 max pools exact
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<1x4, f64>
    %l = snn.leaky_relu @leaky(%x) with (slope = 0.5) : !snn.signal<1x4, f64>
    %m = snn.max_pool %l kernel [2] : !snn.signal<1x4, f64> -> !snn.signal<1x2, f64>
    %d = snn.dense %m weights #snn.tensor<"d", 2x2xf64, [1.0, 1.0, 0.0, 2.0]> : !snn.signal<1x2, f64> -> !snn.signal<2, f64>
    %t = snn.tanh @t(%d) : !snn.signal<2, f64>
    %e = snn.dense %t weights #snn.tensor<"e", 1x2xf64, [1.0, 2.0]> bias #snn.tensor<"e.bias", 1xf64, [0.5]> : !snn.signal<2, f64> -> !snn.signal<1, f64>
    snn.output @y %e : !snn.signal<1, f64>
  }
}
