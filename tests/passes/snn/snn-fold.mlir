// RUN: snn-opt %s -p "snn-fold" --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p "snn-fold{duplicate=false}" | filecheck %s --check-prefix=LEFT
// RUN: snn-opt %s -p "snn-fold{merge=never}" | filecheck %s --check-prefix=NEVER

// Normalisation of the input goes into the weights behind it, batch norm into those before it; both biases into one.
// @a reads the projection as well, and keeps it.
// CHECK:      %[[A:.*]] = snn.dense %x weights #snn.tensor<"w", 2x2xf64, [0.5, 1.0, 1.5, 2.0]> bias #snn.tensor<"w.bias", 2xf64, [-3.0, -7.0]>
// CHECK:      snn.relu @a(%[[A]])
// CHECK:      %[[B:.*]] = snn.dense %x weights #snn.tensor<"w", 2x2xf64, [1.0, 2.0, -1.5, -2.0]> bias #snn.tensor<"w.bias", 2xf64, [-5.0, 7.0]>
// CHECK:      snn.relu @b(%[[B]])
// LEFT-COUNT-1: snn.dense %{{.*}} weights #snn.tensor<"w", 2x2xf64, [0.5, 1.0, 1.5, 2.0]> bias
// LEFT:       snn.scale %{{.*}} by #snn.tensor<"norm", 2xf64, [2.0, -1.0]> bias #snn.tensor<"shift", 2xf64, [1.0, 0.0]>

// Two dense projections in a row have four weights and two; one has two.
// CHECK:      snn.dense %b weights #snn.tensor<"d2", 1x2xf64, [1.0, 5.0]>
// CHECK-NOT:  "d1"
// NEVER:      "d1"
// NEVER:      "d2"

// CHECK:      2 biases folded
// CHECK:      1 projections merged
// CHECK:      2 scales folded
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<2, f64>
    %n = snn.scale %x by 0.5 bias #snn.tensor<"mean", 2xf64, [-1.0, -1.0]> : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %w = snn.dense %n weights #snn.tensor<"w", 2x2xf64, [1.0, 2.0, 3.0, 4.0]> : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %a = snn.relu @a(%w) : !snn.signal<2, f64>
    %s = snn.scale %w by #snn.tensor<"norm", 2xf64, [2.0, -1.0]> bias #snn.tensor<"shift", 2xf64, [1.0, 0.0]> : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %b = snn.relu @b(%s) : !snn.signal<2, f64>
    %d1 = snn.dense %b weights #snn.tensor<"d1", 2x2xf64, [1.0, 1.0, 0.0, 2.0]> : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %d2 = snn.dense %d1 weights #snn.tensor<"d2", 1x2xf64, [1.0, 2.0]> : !snn.signal<2, f64> -> !snn.signal<1, f64>
    %c = snn.relu @c(%d2) : !snn.signal<1, f64>
    snn.output @y0 %a : !snn.signal<2, f64>
    snn.output @y1 %c : !snn.signal<1, f64>
  }
}
