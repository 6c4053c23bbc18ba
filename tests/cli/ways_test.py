#!/usr/bin/env python3
"""Runs the tool's freeze, convert, doctor and show --checkpoint over a model of the tree: ways_test.py TOOL SOURCE_ROOT."""
import json, os, pathlib, pty, re, shutil, subprocess, sys, tarfile, tempfile, unittest, zipfile

TOOL, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
MODEL = ROOT / "models" / "blazeface"


def run(*words):
    done = subprocess.run([TOOL, *map(str, words)], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


class Ways(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.at = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def test_freeze(self):
        out = self.at / "f.pb"
        code, text, _ = run("freeze", MODEL, out)
        self.assertEqual(code, 0)
        self.assertIn("input input: input:0 float32[1,256,256,3]", text)
        first = out.read_bytes()
        code, _, error = run("freeze", MODEL, out)
        self.assertEqual(code, 1)
        self.assertIn("exists, use --overwrite", error)
        code, text, _ = run("freeze", MODEL, out, "--overwrite", "--json")
        self.assertEqual(code, 0)
        report = json.loads(text)
        self.assertEqual(report["bytes"], len(first))
        self.assertEqual(set(report["outputs"]), {"Identity", "Identity_1", "Identity_2", "Identity_3"})
        self.assertEqual(out.read_bytes(), first)
        self.assertEqual(sorted(p.name for p in self.at.iterdir()), ["f.pb"])
        code, text, _ = run("show", "--dir", out)
        self.assertEqual(code, 0)
        self.assertIn("input:0 float32[1,256,256,3]", text)
        self.assertIn("guessed", text)
        self.assertEqual(len(json.loads(run("show", "--dir", out, "--json")[1])["guessed_outputs"]), 4)

    def test_freeze_refusals(self):
        for words, code, part in [((MODEL,), 2, "two were wanted"), ((MODEL, self.at / "x", "y"), 2, "two were wanted"),
                                  ((self.at / "gone", self.at / "x"), 1, "Could not find SavedModel"),
                                  ((MODEL, self.at / "x", "--signature_def", "gone"), 1, 'signature "gone" not found'),
                                  ((MODEL, self.at / "x", "--tag_set", "gone"), 1, "{ gone }"),
                                  ((MODEL, self.at / "no" / "x"), 1, "cannot be written"), ((MODEL, self.at), 1, "no regular file")]:
            got, _, error = run("freeze", *words)
            self.assertEqual(got, code, words)
            self.assertIn(part, error)
            self.assertEqual(error.count("\n"), 1 if code == 1 else error.count("\n"))

    def test_convert_there_and_back(self):
        for name in ("text.pbtxt", "binary.pb"):
            self.assertEqual(run("convert", MODEL, self.at / name)[0], 0)
        self.assertEqual(run("convert", self.at / "text.pbtxt", self.at / "again.pb")[0], 0)
        self.assertEqual((self.at / "again.pb").read_bytes(), (self.at / "binary.pb").read_bytes())
        (self.at / "model").mkdir()
        shutil.copy(self.at / "text.pbtxt", self.at / "model" / "saved_model.pbtxt")
        self.assertEqual(run("show", "--dir", self.at / "model", "--all")[1], run("show", "--dir", MODEL, "--all")[1])
        self.assertEqual(run("freeze", MODEL, self.at / "f.pb")[0], 0)
        self.assertEqual(run("convert", self.at / "f.pb", self.at / "f.pbtxt")[1].split(" of ")[0], f"{self.at}/f.pbtxt: GraphDef")
        (self.at / "noise").write_bytes(b"\x01\x02\x03\xff")
        code, _, error = run("convert", self.at / "noise", self.at / "x.pb")
        self.assertEqual(code, 1)
        self.assertIn("is neither a SavedModel nor a GraphDef nor a MetaGraphDef", error)

    def test_versions_and_archives(self):
        for version in ("2", "10"):
            shutil.copytree(MODEL, self.at / "net" / version)
        code, text, error = run("show", "--dir", self.at / "net")
        self.assertEqual((code, text), (0, run("show", "--dir", MODEL)[1]))
        self.assertIn("version 10 is taken, the newest of 2 (2, 10)", error)
        with tarfile.open(self.at / "net.tar.gz", "w:gz") as archive:
            archive.add(self.at / "net", "net")
        with zipfile.ZipFile(self.at / "net.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(MODEL / "saved_model.pb", "saved_model.pb")
        for name in ("net.tar.gz", "net.zip"):
            code, text, error = run("doctor", self.at / name)
            if "reads no archives" in error:
                self.skipTest("built without libarchive")
            self.assertEqual(code, 0)
            self.assertIn("Problems: none", text)

    def test_doctor(self):
        code, text, _ = run("doctor", MODEL, "--json")
        self.assertEqual(code, 0)
        report = json.loads(text)
        self.assertEqual(report["problems"], [])
        self.assertEqual([entry["missing"] for entry in report["meta_graphs"][0]["entries"]], [[]] * len(report["meta_graphs"][0]["entries"]))
        shutil.copytree(MODEL, self.at / "broken")
        (self.at / "broken" / "variables").mkdir(exist_ok=True)
        (self.at / "broken" / "variables" / "variables.index").write_bytes(b"not a table" * 10)
        code, text, error = run("doctor", self.at / "broken")
        self.assertEqual(code, 1)
        self.assertIn("fetch the model's files again", text)
        self.assertIn("has 1 problem", error)
        self.assertEqual(run("doctor", self.at / "gone")[0], 1)

    def test_colour_and_bar_are_for_terminals(self):
        def at_terminal(*words, **environment):
            mine, theirs = pty.openpty()
            with subprocess.Popen([TOOL, *map(str, words)], stdin=theirs, stdout=theirs, stderr=theirs,
                                  env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment}) as done:
                os.close(theirs)
                text = b""
                while True:
                    try:
                        piece = os.read(mine, 65536)
                    except OSError:  # the end of a terminal
                        break
                    text += piece
                os.close(mine)
            return done.wait(), text.decode().replace("\r\n", "\n")

        for words in (["show", "--dir", MODEL, "--all"], ["doctor", MODEL], ["scan", "--dir", MODEL], ["show", "--dir", self.at / "gone"]):
            code, plain, error = run(*words)
            coloured = at_terminal(*words)
            self.assertEqual(coloured[0], code)
            self.assertIn("\x1b[", coloured[1])
            self.assertEqual(re.sub("\x1b\\[[0-9;]*m", "", coloured[1]), plain + error)
            self.assertNotIn("\x1b", plain + error)
            self.assertEqual(at_terminal(*words, NO_COLOR="1")[1], plain + error)
            self.assertEqual(at_terminal(*words, TERM="dumb")[1], plain + error)

    def test_checkpoint(self):
        code, _, error = run("show", "--checkpoint", self.at / "gone")
        self.assertEqual(code, 1)
        self.assertIn("Failed to find any matching files", error)


unittest.main(argv=sys.argv[:1])
