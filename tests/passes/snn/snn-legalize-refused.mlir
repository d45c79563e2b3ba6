// RUN: not snn-opt %s -p "snn-legalize" 2>&1 | filecheck %s --check-prefix=MODELS
// RUN: not snn-opt %s -p "snn-legalize{models=if,lif}" 2>&1 | filecheck %s --check-prefix=SPIKES
// RUN: not snn-opt %s -p "snn-legalize{models=relu,clip error=0.0}" 2>&1 | filecheck %s --check-prefix=ERROR
// RUN: not snn-opt %s -p "snn-legalize{models=relu,clip,softmax max-pool=reject}" 2>&1 | filecheck %s --check-prefix=REJECT
// RUN: not snn-opt %s -p "snn-legalize{models=relu,clip}" 2>&1 | filecheck %s --check-prefix=SOFTMAX
// RUN: not snn-opt %s -p "snn-legalize{models=relu,softmax}" 2>&1 | filecheck %s --check-prefix=END

// MODELS:  which neurons are there?
// MODELS:  models=relu,clip
// SPIKES:  @h: a relu, and there are only if, lif neurons
// SPIKES:  convert-ann-to-snn
// ERROR:   an error of 0
// REJECT:  snn-legalize-refused.mlir:22:5: error: a max pool, which crossbars cannot add up
// SOFTMAX: @p: a softmax that other layers read has no form on crossbars
// SOFTMAX: only one at the end can be left out
// END:     output @y reads a current of either sign
// END:     choose a machine with clip neurons
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<1x4, f64>
    %h = snn.relu @h(%x) : !snn.signal<1x4, f64>
    %m = snn.max_pool %h kernel [2] : !snn.signal<1x4, f64> -> !snn.signal<1x2, f64>
    %c = snn.add %m : !snn.signal<1x2, f64>
    %p = snn.softmax @p(%c) : !snn.signal<1x2, f64>
    %d = snn.dense %p weights #snn.tensor<"d", 1x2xf64, [1.0, 2.0]> : !snn.signal<1x2, f64> -> !snn.signal<1, f64>
    snn.output @y %d : !snn.signal<1, f64>
  }
}
