"""Data to train with, in the formats that they are published in; needs no torch.

```
from snnir.train.data import load

found = load("shd", "shd_train.h5.gz", dt=0.014, steps=100, group=5)   # spikes (8156, 100, 140), labels
found = load("nmnist", "N-MNIST", subset="test", dt=0.001)             # spikes (10000, 316, 2312)
found = load("wav", "recordings", subset="train", late="drop")         # FSDD: spikes (2700, 64, 64)
```

and a task that only timing solves (`snnir.train.data.task.Lags`). Whatever is wrong with a file is a `SnnirError` that
names the sample; nothing is left out unless `late="drop"` asks for it, and then it is counted.
"""

from snnir.train.data.dataset import Binning, Dataset
from snnir.train.data.formats import load, read_blocks
from snnir.train.data.task import Lags

__all__ = ["Binning", "Dataset", "Lags", "load", "read_blocks"]
