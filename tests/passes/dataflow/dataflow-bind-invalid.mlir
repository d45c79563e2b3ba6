// RUN: snn-opt %s -p dataflow-bind --split-input-file --verify-diagnostics | filecheck %s
// RUN: snn-opt %s -p 'dataflow-bind{file=binding.txt}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=IGNORED
// RUN: snn-opt %s -p 'dataflow-bind{budget=0}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=BUDGET
// RUN: snn-opt %s -p 'dataflow-bind{algorithm=file}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=FILE

// CHECK: actors of this graph are bound already
builtin.module {
  dataflow.architecture @one {
    dataflow.tile @t processor "p"
  }
  dataflow.graph @g activity "worst" {
    dataflow.actor task @a on @t time 1 : () -> ()
  }
}

// -----

// CHECK: this pass needs one dataflow.architecture in the module and finds 0
builtin.module {
  dataflow.graph @g activity "worst" {
    dataflow.actor task @a time 1 : () -> ()
  }
}

// -----

// CHECK: @a runs on 'q'; the tiles of @one have 'p'
// CHECK: processors=any
// FILE:  algorithm=file needs a file
// IGNORED: algorithm=critical reads no file
// BUDGET: a search of 0 evaluations finds nothing
builtin.module {
  dataflow.architecture @one {
    dataflow.tile @t processor "p"
  }
  dataflow.graph @g activity "worst" {
    dataflow.actor task @a time 1 processors("q" 1) : () -> ()
  }
}

// -----

// CHECK: none of the bindings tried is possible on this architecture
builtin.module {
  dataflow.architecture @small {
    dataflow.tile @t processor "p" memory 3
  }
  dataflow.graph @g activity "worst" {
    dataflow.actor task @a time 1 processors("p" 1 memory 4) : () -> ()
  }
}

// -----

// A buffer that counts from end to end, of a channel whose rates differ, cannot be kept with a connection in between.
// CHECK: the room of a channel to @connection_0 counts from end to end, but its rates differ
builtin.module {
  dataflow.architecture @two {
    dataflow.tile @s processor "p"
    dataflow.tile @t processor "q"
    dataflow.connection @way from @s to @t delay 1
  }
  dataflow.graph @g activity "worst" {
    %a = dataflow.actor task @a time 1 processors("p" 1) makes(2) : () -> !dataflow.token<1>
    dataflow.actor task @b time 1 processors("q" 1) reads(%a[3] capacity 6) : (!dataflow.token<1>) -> ()
  }
}
