"""Every network that training/ exports is what PyTorch computes, in OpenCV and in TorchScript, with a card that is true."""
import hashlib
import os
import pathlib
import sys
import tempfile
import unittest

import cv2
import numpy
import torch
import yaml

ROOT = pathlib.Path(os.environ.get("FACESHARD_SOURCE", pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(ROOT / "training"))
from faceshard_training import __main__ as command, export, networks  # noqa: E402
from faceshard_training.networks import onnx_weights  # noqa: E402

SIZE = 80


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.folder = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def check(self, name):
        path = pathlib.Path(self.folder.name) / name
        network = export.random_network(name, 16, SIZE, 1.0, 1)
        export.write(network, path, SIZE, name, {"licence": "none: random"})
        pictures = numpy.random.default_rng(1).standard_normal((2, 3, SIZE, SIZE)).astype(numpy.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(pictures)).numpy()
            scripted = torch.jit.load(f"{path}.pt")(torch.from_numpy(pictures)).numpy()
        net = cv2.dnn.readNet(f"{path}.onnx")
        net.setInput(pictures)
        self.assertGreater(expected.std(), 0.01)
        numpy.testing.assert_allclose(scripted, expected, atol=1e-4)
        numpy.testing.assert_allclose(net.forward(), expected, atol=1e-4)

    def test_onnx_torchscript_and_pytorch_give_the_same_numbers(self):
        for name in networks.NETWORKS:
            with self.subTest(name):
                self.check(name)

    def test_the_command_writes_a_card_that_names_the_file_by_its_sum(self):
        path = pathlib.Path(self.folder.name) / "command"
        self.assertEqual(command.main(["export", "simple_resnet", "--dimension", "16", "--size", "32", "--output", str(path)]), 0)
        card = yaml.safe_load(path.with_suffix(".yaml").read_text())
        self.assertEqual(card["sha256"], hashlib.sha256(path.with_suffix(".onnx").read_bytes()).hexdigest())
        self.assertEqual((card["file"], card["width"], card["dimension"]), ("command.onnx", 32, 16))
        self.assertEqual(command.main(["export", "inception_resnet_v1", "--size", "40", "--output", str(path)]), 3)

    def test_the_embedder_of_ours_is_the_same_as_onnx_and_as_torchscript_and_the_card_has_both_sums(self):
        path = ROOT / "models" / "faceshard_mobile"
        card = path.with_suffix(".yaml").read_text()
        for kind in (".onnx", ".pt"):
            self.assertIn(hashlib.sha256(path.with_suffix(kind).read_bytes()).hexdigest(), card)
        pictures = torch.randn(2, 3, 112, 112)
        net = cv2.dnn.readNet(str(path.with_suffix(".onnx")))
        net.setInput(pictures.numpy())
        with torch.no_grad():
            scripted = torch.jit.load(str(path.with_suffix(".pt")))(pictures).numpy()
        numpy.testing.assert_allclose(net.forward(), scripted, atol=1e-4)

    def test_a_training_may_begin_with_the_weights_of_an_onnx_file_of_the_same_layers_and_of_no_other(self):
        path = pathlib.Path(self.folder.name) / "start"
        given = export.random_network("mobilefacenet_relu6", 16, 32, 1.0, 1)
        export.write(given, path, 32, "start", {})
        taken = networks.build("mobilefacenet_relu6", 32, dimension=16).eval()
        onnx_weights.put(taken, f"{path}.onnx")
        pictures = torch.randn(2, 3, 32, 32)
        self.assertLess((given(pictures) - taken(pictures)).abs().max().item(), 1e-5)
        other = networks.build("mobilefacenet_relu6", 32, dimension=8)
        self.assertRaisesRegex(ValueError, r"start.onnx: \[16, .* embed.weight, \[8, 512\]", onnx_weights.put, other, f"{path}.onnx")
        self.assertRaisesRegex(ValueError, "another network", onnx_weights.put, networks.build("simple_resnet", 32), f"{path}.onnx")
        (pathlib.Path(self.folder.name) / "text.onnx").write_text("no network")
        self.assertRaisesRegex(ValueError, "cannot read", onnx_weights.put, taken, f"{self.folder.name}/text.onnx")


if __name__ == "__main__":
    unittest.main()
