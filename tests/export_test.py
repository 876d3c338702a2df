"""What training/ exports is what PyTorch computes, in OpenCV and with a card that is true."""
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import unittest

import cv2
import numpy

try:
    import torch
except ImportError:
    torch = None

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZE = 80


@unittest.skipUnless(torch, "python3-torch is not installed")
class ExportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name) / "net"
        subprocess.run([sys.executable, "-m", "faceshard_training.export", "inception_resnet_v1", "--size", str(SIZE),
                        "--dimension", "16", "--output", cls.path], cwd=ROOT / "training", check=True,
                       stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_onnx_and_torchscript_give_the_same_numbers(self):
        pictures = numpy.random.default_rng(1).standard_normal((2, 3, SIZE, SIZE)).astype(numpy.float32)
        net = cv2.dnn.readNet(f"{self.path}.onnx")
        net.setInput(pictures)
        with torch.no_grad():
            expected = torch.jit.load(f"{self.path}.pt")(torch.from_numpy(pictures)).numpy()
        self.assertGreater(expected.std(), 0.01)
        numpy.testing.assert_allclose(net.forward(), expected, atol=1e-4)

    def test_the_card_names_the_file_by_its_sum(self):
        sha256 = hashlib.sha256(self.path.with_suffix(".onnx").read_bytes()).hexdigest()
        self.assertIn(f"sha256: {sha256}\n", self.path.with_suffix(".yaml").read_text())


if __name__ == "__main__":
    unittest.main()
