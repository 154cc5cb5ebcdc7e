"""Manifests: what is accepted, what is refused, and in which words."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dsfu.errors import MOST_SHOWN, InputError
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.manifest.loading import load_manifest, parse_manifest
from dsfu.pipeline.manifest.schema import manifest_json_schema
from dsfu.pipeline.problems.disorder.feasibility import check_feasible
from dsfu.pipeline.problems.disorder.pairs import all_pairs, species_of
from dsfu.pipeline.problems.disorder.settings.manifest import DisorderManifest
from dsfu.pipeline.problems.disorder.template import TEMPLATE
from dsfu.pipeline.wanted import what_is_wanted
from dsfu.settings.schema import schema_at
from dsfu.settings.section import Section
from dsfu.simulate.disorder.feasibility import FEWEST_SITES, LARGEST_BOX, SMALLEST_BOX
from dsfu.simulate.disorder.uniqueness import METRICS
from dsfu.simulate.species import SPLITS, pairs
from dsfu.yaml.reader import read_yaml

ROOT = Path(__file__).resolve().parents[3]
FILES = {name: (ROOT / name).read_text("utf-8") for name in ("data_manifest.yaml", "examples/demo.yaml")}

DRAFTS = (jsonschema.Draft202012Validator, jsonschema.Draft7Validator)
"""The draft that the schema is written in, and the one that editors know best; it means the same in both."""

HEAD = "version: 1\nname: x\nseed: 1\nstore: out\n"
"""A manifest of four lines; what tests add begins on line 5."""


def problem(text: str, folder: Path | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        parse_manifest(text, "m.yaml", folder=folder)
    return caught.value


def message(text: str) -> str:
    return str(problem(text))


def plain(document: LoadedManifest[Any]) -> Any:
    """The values of a manifest's file as JSON has them."""
    return json.loads(json.dumps(document.document.value))


def declared(loaded: LoadedManifest[Any]) -> Mapping[str, Any]:
    wanted = what_is_wanted(loaded)
    return wanted.problem.declared(wanted.expected).values


def pairs_and_planes(found: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    return {split: (each["pairs"], each["planes"]) for split, each in found["splits"].items()}


class TestWhatIsThere:
    def test_the_papers_data_set(self) -> None:
        loaded = load_manifest(ROOT / "data_manifest.yaml")
        found = declared(loaded)
        assert pairs_and_planes(found) == {"train": (1049, 209_800), "validation": (98, 14_112)}
        assert found["sro_sets"] == 12_000

    def test_it_writes_out_every_key(self) -> None:
        loaded = load_manifest(ROOT / "data_manifest.yaml")
        dumped = loaded.manifest.to_dict()
        assert plain(loaded) == dumped

    def test_it_records_the_calibrated_threshold(self) -> None:
        uniqueness = load_manifest(ROOT / "data_manifest.yaml").manifest.uniqueness
        assert uniqueness.threshold == METRICS[uniqueness.metric].threshold

    def test_the_demo_has_pairs_of_every_group_in_both_splits(self) -> None:
        loaded = load_manifest(ROOT / "examples" / "demo.yaml")
        chosen = all_pairs(loaded, species_of(loaded))
        groups = {split: {one.group for one, _ in chosen[split]} for split in SPLITS}
        assert groups == {"train": {0, 1, 2, 3, 4}, "validation": {0, 1, 2, 3}}  # the library's fifth has no validation
        found = pairs_and_planes(declared(loaded))
        assert 10 <= sum(pairs for pairs, _ in found.values()) <= 20
        assert sum(planes for _, planes in found.values()) < 1500

    def test_what_init_writes_can_be_read(self) -> None:
        loaded = parse_manifest(TEMPLATE)
        assert all_pairs(loaded, species_of(loaded))

    def test_what_init_writes_is_smaller_than_the_defaults_but_not_otherwise_different(self) -> None:
        written, defaults = parse_manifest(TEMPLATE).manifest, parse_manifest(HEAD).manifest
        for section in ("species", "planes", "uniqueness", "storage"):
            assert getattr(written, section) == getattr(defaults, section)
        assert plain(parse_manifest(TEMPLATE)).keys() | {"problem"} == defaults.to_dict().keys()

    @pytest.mark.parametrize("name", FILES)
    def test_first_lines_tell_editors_the_schema(self, name: str) -> None:
        first = FILES[name].splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert ((ROOT / name).parent / first.split("=")[1]).resolve() == ROOT / "docs" / "manifest.schema.json"

    @pytest.mark.parametrize("name", FILES)
    def test_nothing_declared_is_infeasible(self, name: str) -> None:
        check_feasible(load_manifest(ROOT / name))


class TestModel:
    @pytest.mark.parametrize("text", [*FILES.values(), TEMPLATE, HEAD])
    def test_round_trip(self, text: str) -> None:
        manifest = parse_manifest(text).manifest
        assert parse_manifest(json.dumps(manifest.to_dict())).manifest == manifest

    def test_round_trip_of_named_pairs(self) -> None:
        manifest = parse_manifest(HEAD + "pairs: {train: {only: [[benzene, toluene]]}, validation: null}").manifest
        assert parse_manifest(json.dumps(manifest.to_dict())).manifest == manifest

    def test_it_cannot_be_changed(self) -> None:
        manifest = parse_manifest(HEAD).manifest
        with pytest.raises(ValidationError):
            manifest.seed = 2
        hash(manifest)

    def test_whole_numbers_stand_for_numbers_but_not_the_reverse(self) -> None:
        assert parse_manifest(HEAD + "planes: {q_max: [6, 8]}").manifest.planes.q_max == (6.0, 8.0)
        assert "seed = 1.0" in message(HEAD.replace("seed: 1", "seed: 1.0"))

    @pytest.mark.parametrize("value", ["true", "1.0", "'1'", "null", "[1]", "{a: 1}", "2"])
    def test_version_is_the_whole_number_1(self, value: str) -> None:
        assert "version" in message(HEAD.replace("version: 1", f"version: {value}"))

    def test_limits_are_those_of_the_simulation(self) -> None:
        box = schema_at(("sro", "monte_carlo", "box"), DisorderManifest)
        assert box is not None
        assert (box["minimum"], box["maximum"]) == (SMALLEST_BOX, LARGEST_BOX)
        metric = schema_at(("uniqueness", "metric"), DisorderManifest)
        assert metric is not None
        assert set(metric["enum"]) == set(METRICS)


def sections(model: type[Section] = DisorderManifest) -> set[type[Section]]:
    return {each for each in Section.__subclasses__() if each.__module__ == model.__module__}


class TestSchemaAndPage:
    def test_every_key_has_a_description(self) -> None:
        for section in sections():
            assert section.__doc__
            for name, field in section.model_fields.items():
                assert (
                    field.description
                    or name in ("species", "pairs", "sro", "planes", "dead_zones")
                    or (name in ("uniqueness", "storage", "monte_carlo", "oscillator"))
                ), f"{section.__name__}.{name}"

    @pytest.mark.parametrize("text", [*FILES.values(), TEMPLATE])
    def test_what_is_there_fits_the_schema(self, text: str) -> None:
        for validator in DRAFTS:
            validator(manifest_json_schema(DisorderManifest)).validate(plain(parse_manifest(text)))

    @pytest.mark.parametrize(
        "added",
        [
            "sead: 1",
            "planes: {pixels: 255}",
            "planes: {q_max: [1, 2, 3]}",
            "planes: {q_max: [6]}",
            "storage: {materialise: yes}",
            "uniqueness: {scope: pairs}",
            "pairs: {train: {only: [[benzene]]}}",
        ],
    )
    def test_what_is_refused_does_not(self, added: str) -> None:
        problem(HEAD + added)
        value = json.loads(json.dumps(read_yaml((HEAD + added).encode(), "m.yaml").value))
        for validator in DRAFTS:
            with pytest.raises(jsonschema.ValidationError):
                validator(manifest_json_schema(DisorderManifest)).validate(value)

    def test_the_schema_is_a_schema_and_the_one_that_is_kept(self) -> None:
        schema = manifest_json_schema(DisorderManifest)
        for validator in DRAFTS:
            validator.check_schema(schema)
        assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
        kept = json.loads((ROOT / "docs" / "manifest.schema.json").read_text("utf-8"))
        assert kept == schema, "write it again: dsfu-pipeline schema > docs/manifest.schema.json"

    def test_the_page_has_every_key_with_its_default(self) -> None:
        page = (ROOT / "docs" / "manifest.md").read_text("utf-8")
        for section in sections():
            schema = section.model_json_schema()
            for name, each in schema["properties"].items():
                assert f"`{name}`" in page or f".{name}`" in page, f"{section.__name__}.{name}"
                default = each.get("default")
                if default is not None and not isinstance(default, dict):
                    text = default if isinstance(default, str) else json.dumps(default)
                    assert f"{name}` | `{text}` |" in page, f"{section.__name__}.{name}"


GOLDEN = {
    "unknown key with a near miss": (
        "sro:\n  monte_carlo:\n    bank_sise: 3\n",
        """\
m.yaml, line 7: sro.monte_carlo.bank_sise: unknown key
  7 |     bank_sise: 3
    |     ^^^^^^^^^
  remedy: did you mean bank_size?""",
    ),
    "unknown key that has another place": (
        "planes:\n  fraction_a: [0.1, 0.2]\n",
        """\
m.yaml, line 6: planes.fraction_a: unknown key
  6 |   fraction_a: [0.1, 0.2]
    |   ^^^^^^^^^^
  expected: one of pixels, q_max, monte_carlo, oscillator
  remedy: fraction_a belongs in sro.monte_carlo""",
    ),
    "text for a number": (
        "planes: {pixels: '256'}\n",
        """\
m.yaml, line 5: planes.pixels = "256"
  5 | planes: {pixels: '256'}
    |                  ^^^^^
  expected: an even whole number from 8 to 2048
  remedy: write 256, without quotes or separators""",
    ),
    "yes": (
        "storage: {materialise: yes}\n",
        """\
m.yaml, line 5: storage.materialise = "yes"
  5 | storage: {materialise: yes}
    |                        ^^^
  expected: true or false
  remedy: write true, without quotes""",
    ),
    "a decimal comma": (
        "uniqueness: {threshold: '0,5'}\n",
        """\
m.yaml, line 5: uniqueness.threshold = "0,5"
  5 | uniqueness: {threshold: '0,5'}
    |                         ^^^^^
  expected: a number from 0 to 1, or null
  remedy: write 0.5, with a decimal point""",
    ),
    "an item out of range": (
        "sro:\n  monte_carlo:\n    fraction_a: [0.5, 1.7]\n",
        """\
m.yaml, line 7: sro.monte_carlo.fraction_a[1] = 1.7
  7 |     fraction_a: [0.5, 1.7]
    |                       ^^^
  expected: a number above 0 and below 1""",
    ),
    "a range reversed": (
        "planes:\n  q_max: [8, 6]\n",
        """\
m.yaml, line 6: planes.q_max: the lower end 8 is above the upper end 6
  6 |   q_max: [8, 6]
    |          ^
  expected: the lower end first
  remedy: write [6, 8]""",
    ),
    "half a range": (
        "planes:\n  q_max: [8]\n",
        """\
m.yaml, line 6: planes.q_max = [8]
  6 |   q_max: [8]
    |          ^
  expected: [low, high], each a number above 0 and up to 25""",
    ),
    "a single value for a range": (
        "planes: {q_max: 8}\n",
        """\
m.yaml, line 5: planes.q_max = 8
  5 | planes: {q_max: 8}
    |                 ^
  expected: [low, high], each a number above 0 and up to 25
  remedy: for a single value, write [8, 8]""",
    ),
    "one of a few words": (
        "uniqueness: {scope: Pairs}\n",
        """\
m.yaml, line 5: uniqueness.scope = "Pairs"
  5 | uniqueness: {scope: Pairs}
    |                     ^^^^^
  expected: pair, store or none
  remedy: did you mean pair?""",
    ),
    "a section with nothing in it": (
        "planes:\ndead_zones: {bank_size: 3}\n",
        """\
m.yaml, line 5: planes = null
  5 | planes:
    | ^^^^^^
  expected: a section with keys such as pixels, q_max, monte_carlo, oscillator
  remedy: nothing stands after the colon: give a value, or remove the key for the default""",
    ),
    "a bank that is too small": (
        "sro: {monte_carlo: {bank_size: 5}}\n",
        """\
m.yaml, line 5: sro.monte_carlo.per_pair.train: a pair cannot draw 12 different sets from a bank of 5
  5 | sro: {monte_carlo: {bank_size: 5}}
    |       ^^^^^^^^^^^
  expected: at most bank_size = 5
  remedy: draw fewer, or enlarge the bank""",
    ),
    "targets that no crystal has": (
        "sro: {monte_carlo: {fraction_a: [0.1, 0.5], targets: [-0.6, -0.25]}}\n",
        """\
m.yaml, line 5: sro.monte_carlo.targets: no crystal with m_A = 0.1 has an α below -0.111
  5 | sro: {monte_carlo: {fraction_a: [0.1, 0.5], targets: [-0.6, -0.25]}}
    |                                                      ^
  expected: an upper end of at least -0.111
  remedy: raise it, or bring fraction_a within [0.2, 0.8]""",
    ),
    "a bank for nothing": (
        "sro:\n  monte_carlo: {per_pair: {train: 0, validation: 0}}\n"
        "  oscillator: {per_pair: {train: 1, validation: 1}}\n",
        """\
m.yaml, line 6: sro.monte_carlo.bank_size: a bank of 12000 sets would be made, and no pair draws from it
  6 |   monte_carlo: {per_pair: {train: 0, validation: 0}}
    |   ^^^^^^^^^^^
  remedy: write `bank_size: 0`, or let pairs draw from it: per_pair""",
    ),
    "the threshold of another metric": (
        "uniqueness: {metric: sliced_wasserstein, threshold: 0.14}\n",
        """\
m.yaml, line 5: uniqueness.threshold: by sliced_wasserstein, most planes of a pair are nearer to one another than 0.14
  5 | uniqueness: {metric: sliced_wasserstein, threshold: 0.14}
    |                                                     ^^^^
  expected: at most 0.02 for this metric
  remedy: write null, or remove the key, for the threshold calibrated for the metric""",
    ),
    "two layers that are one": (
        "planes: {oscillator: {layers: [-1, 0, 1]}}\n",
        """\
m.yaml, line 5: planes.oscillator.layers[2]: 1 is the layer -1 turned by 180°
  5 | planes: {oscillator: {layers: [-1, 0, 1]}}
    |                                       ^
  expected: every plane once""",
    ),
    "too few sites": (
        "sro: {monte_carlo: {fraction_a: [0.01, 0.5], box: 12}}\n",
        f"""\
m.yaml, line 5: sro.monte_carlo.fraction_a: a box of 12³ sites has only 17.3 of the rarer species
  5 | sro: {{monte_carlo: {{fraction_a: [0.01, 0.5], box: 12}}}}
    |                                 ^
  expected: [low, high] from {FEWEST_SITES / 1728:.2g} to {1 - FEWEST_SITES / 1728:.6g}, so that there are \
{FEWEST_SITES} sites
  remedy: narrow fraction_a, or enlarge box""",
    ),
    "a pair without planes": (
        "sro:\n  monte_carlo:\n    per_pair: {train: 12, validation: 0}\n",
        """\
m.yaml, line 5: sro: validation pairs get neither Monte Carlo nor oscillator sets, and so no planes
  5 | sro:
    | ^^^
  remedy: raise per_pair.validation of one of them, or write `validation: null` under pairs""",
    ),
    "too much for a worker": (
        "planes: {pixels: 2048}\n",
        """\
m.yaml, line 5: planes.pixels: a train pair has 200 planes of 2048² pixels, 3.1 GiB
  5 | planes: {pixels: 2048}
    |                  ^^^^
  expected: at most 0.5 GiB, so that a pair fits in a worker's memory
  remedy: take fewer pixels, fewer sets a pair, or fewer layers""",
    ),
    "a key twice": (
        "seed: 2\n",
        """\
m.yaml, line 5: seed: the key is there twice
  5 | seed: 2
    | ^^^^
  expected: every key once
  remedy: remove this one or the one on line 3""",
    ),
    "a tag": (
        "pairs: !!python/object/apply:os.system [ls]\n",
        """\
m.yaml, line 5: pairs: the tag !!python/object/apply:os.system
  5 | pairs: !!python/object/apply:os.system [ls]
    |        ^
  expected: plain YAML without tags""",
    ),
    "an alias": (
        "planes: {pixels: &p 64, q_max: [*p, *p]}\n",
        """\
m.yaml, line 5: planes.q_max[0]: an alias (*name)
  5 | planes: {pixels: &p 64, q_max: [*p, *p]}
    |                                 ^^
  expected: values written out where they are used""",
    ),
    "not a number": (
        "planes: {q_max: [6, .nan]}\n",
        """\
m.yaml, line 5: planes.q_max[1] = .nan
  5 | planes: {q_max: [6, .nan]}
    |                     ^^^^
  expected: a finite number""",
    ),
    "a number with a zero in front": (
        "planes: {pixels: 0256}\n",
        """\
m.yaml, line 5: planes.pixels = 0256
  5 | planes: {pixels: 0256}
    |                  ^^^^
  expected: no zeros in front: YAML 1.1 reads such a number to the base of 8""",
    ),
    "a number with underscores": (
        "sro: {monte_carlo: {bank_size: 12_000}}\n",
        """\
m.yaml, line 5: sro.monte_carlo.bank_size = "12_000"
  5 | sro: {monte_carlo: {bank_size: 12_000}}
    |                                ^^^^^^
  expected: a whole number from 0 to 10000000
  remedy: write 12000, without quotes or separators""",
    ),
    "a huge number": (
        f"planes: {{pixels: {'9' * 400}}}\n",
        f"""\
m.yaml, line 5: planes.pixels: a number of 400 digits
  5 | planes: {{pixels: {"9" * 73}…
    |                  {"^" * 73}
  expected: a shorter number""",
    ),
    "a tab": (
        "planes:\n\tpixels: 256\n",
        """\
m.yaml, line 6: a tab
  6 |  pixels: 256
    | ^
  remedy: indent with spaces; YAML does not allow tabs""",
    ),
    "indentation that does not fit": (
        "planes:\n    pixels: 256\n  q_max: [6, 8]\n",
        """\
m.yaml, line 7: this does not fit what stands above it
  7 |   q_max: [6, 8]
    |   ^
  remedy: indent keys of one section alike, and put text with quotes inside in other quotes""",
    ),
    "a list without its end": (
        "planes:\n  q_max: [6, 8\nstorage: {}\n",
        """\
m.yaml, line 6: this list is never closed
  6 |   q_max: [6, 8
    |          ^
  remedy: close it with ]""",
    ),
    "a text that is no YAML": (
        "species: {own: [{name: a, group: 2, file: *.xyz}]}\n",
        """\
m.yaml, line 5: * begins an alias, which these files do not have
  5 | species: {own: [{name: a, group: 2, file: *.xyz}]}
    |                                           ^
  remedy: put it in quotes""",
    ),
    "a key without a colon": (
        "planes:\n  pixels 256\n  q_max: [6, 8]\n",
        """\
m.yaml, line 6: a key without a colon
  6 |   pixels 256
    |   ^^^^^^^^^^
  remedy: write `key: value`""",
    ),
    "a closing bracket too many": (
        "planes: }\n",
        """\
m.yaml, line 5: } closes nothing
  5 | planes: }
    |         ^
  remedy: remove it""",
    ),
    "a backslash": (
        'problem: "C:\\data"\n',
        """\
m.yaml, line 5: a backslash in double quotes
  5 | problem: "C:\\data"
    |             ^
  remedy: write it twice, or use single quotes""",
    ),
    "two documents": (
        "---\nname: y\n",
        """\
m.yaml, line 5: a second document begins here
  5 | ---
    | ^
  expected: one document
  remedy: remove the line ---, or keep the other document in a file of its own""",
    ),
}

GOLDEN_WHOLE = {
    "an empty file": (
        "",
        "m.yaml, line 1: the file is empty\n  remedy: write a manifest to start from with `dsfu-pipeline init`",
    ),
    "only comments": (
        "# nothing\n",
        "m.yaml, line 1: the file is empty\n  remedy: write a manifest to start from with `dsfu-pipeline init`",
    ),
    "a list": (
        "- seed\n- name\n",
        """\
m.yaml, line 1: the file holds a list
  1 | - seed
    | ^
  expected: keys with values, such as `name: my-data`
  remedy: write a manifest to start from with `dsfu-pipeline init`""",
    ),
    "no spaces after colons": (
        "name:x\nseed:3\n",
        """\
m.yaml, line 1: the file holds one value, "name:x seed:3"
  1 | name:x
    | ^
  expected: keys with values, such as `name: my-data`
  remedy: a space must follow each colon""",
    ),
    "half a URL": (
        HEAD.replace("out", "s3:/bucket/set"),
        """\
m.yaml, line 4: store: s3:/bucket/set is neither a folder nor a URL
  4 | store: s3:/bucket/set
    |        ^^^^^^^^^^^^^^
  expected: a folder, or a URL such as s3://bucket/name
  remedy: write s3://bucket/set""",
    ),
    "missing": (
        HEAD.replace("seed: 1\n", ""),
        """\
m.yaml, line 1: seed: missing; it has no default
  expected: `seed: …`: All random numbers derive from it; another seed makes another data set of the same kind""",
    ),
    "a key misspelt, and so missing": (
        HEAD.replace("seed", "sed"),
        """\
m.yaml, line 3: sed: unknown key
  3 | sed: 1
    | ^^^
  remedy: did you mean seed?""",
    ),
    "several": (
        "version: 2\nname: my data\nseed: -1\nstore: out\n",
        """\
m.yaml: 3 mistakes

m.yaml, line 1: version = 2
  1 | version: 2
    |          ^
  expected: 1

m.yaml, line 2: name = "my data"
  2 | name: my data
    |       ^^^^^^^
  expected: letters, digits and . _ -, a letter or digit first, at most 80 of them
  remedy: write my-data

m.yaml, line 3: seed = -1
  3 | seed: -1
    |       ^^
  expected: a whole number from 0 to 9223372036854775807""",
    ),
}


def without_carets(text: str) -> str:
    """The two parsers may differ by a column in what they point at."""
    return "\n".join(line for line in text.splitlines() if set(line) - set(" |^"))


class TestMessages:
    @pytest.mark.parametrize("case", GOLDEN)
    def test_after_a_good_beginning(self, case: str) -> None:
        added, expected = GOLDEN[case]
        assert message(HEAD + added) == expected

    @pytest.mark.parametrize("case", GOLDEN)
    def test_they_are_the_same_without_libyaml(self, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(yaml, "CSafeLoader")
        added, expected = GOLDEN[case]
        assert without_carets(message(HEAD + added)) == without_carets(expected)

    @pytest.mark.parametrize("case", GOLDEN_WHOLE)
    def test_of_a_whole_file(self, case: str) -> None:
        text, expected = GOLDEN_WHOLE[case]
        assert message(text) == expected

    def test_in_the_order_of_lines(self) -> None:
        text = (
            HEAD + "zzz: 1\nplanes: {pixels: 3, q_max: .inf, pixels: 8}\nsro: 3\nstorage: {materialise: 0}\nseed: 4\n"
        )
        found = [each.position for each in problem(text).problems]
        assert found == sorted(found)
        assert [line for line, _ in found] == [5, 6, 6, 7, 8, 9]

    def test_the_first_of_many(self) -> None:
        error = problem(HEAD + "".join(f"key{i}: 1\n" for i in range(500)))
        assert len(error.problems) == 500
        assert str(error).count("unknown key") == MOST_SHOWN
        assert str(error).endswith("… and 480 more")

    def test_of_very_many_only_the_number(self) -> None:
        error = problem(HEAD + "".join(f"key{i}: 1\n" for i in range(5000)))
        assert error.problems[0].position[0] == 5
        assert len(error.problems) == 1000
        assert str(error).startswith("m.yaml: 5000 mistakes")
        assert str(error).endswith("… and 4980 more")

    def test_a_message_says_every_mistake_once(self) -> None:
        error = problem(HEAD + "pairs: {train: {only: [[benzene]]}, validation: {groups: []}}\nplanes: {q_max: *a}\n")
        assert [each.what.split(" ")[0] for each in error.problems] == [
            "pairs.train.only[0]",
            "pairs.validation.groups",
            "planes.q_max:",
        ]

    def test_nothing_in_it_moves_the_cursor(self) -> None:
        text = message(HEAD + '"a\\e[31mb\\u202e": 1\nname\u202e: 2\n')
        assert all(c == "\n" or c.isprintable() for c in text)

    def test_long_lines_are_cut(self) -> None:
        text = message(HEAD + f"planes: {{q_max: [{'1, ' * 400}oops]}}\n")
        assert max(map(len, text.splitlines())) < 140

    def test_a_far_column_is_shown(self) -> None:
        text = message(HEAD + f"pairs: {{train: {{only: [[{'a' * 60}, {'b' * 60}], [a, 3]]}}}}\n")
        _, excerpt, carets, *_ = text.splitlines()
        assert excerpt[carets.index("^")] == "3"
        assert excerpt.startswith("  5 | …")

    def test_it_survives_pickling(self) -> None:
        error = problem(HEAD + "zzz: 1\nplanes: 3\n")
        again = pickle.loads(pickle.dumps(error))
        assert str(again) == str(error)
        assert len(again.problems) == 2


class TestFiles:
    def test_a_manifest_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"nowhere\.yaml: cannot be read: No such file"):
            load_manifest(tmp_path / "nowhere.yaml")

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read: Is a directory"):
            load_manifest(tmp_path)

    def test_a_name_with_nul(self) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            load_manifest("a\0b")

    def test_a_file_that_never_ends(self) -> None:
        with pytest.raises(InputError, match="larger than 512 KiB"):
            load_manifest("/dev/zero")

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"\x7fELF\x02\x01\x01\x00", r"line 1: character U\+007F"),
            (b"name: x\nseed: \xe9\n", "line 2: byte 0xe9 is not UTF-8"),
            (HEAD.encode("utf-16"), "UTF-16: save it as UTF-8"),
            (b"name: x\n\n\0", r"line 3: character U\+0000"),
        ],
    )
    def test_what_is_no_text(self, tmp_path: Path, data: bytes, expected: str) -> None:
        (tmp_path / "m.yaml").write_bytes(data)
        with pytest.raises(InputError, match=expected):
            load_manifest(tmp_path / "m.yaml")

    @pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
    def test_line_ends_of_every_system(self, tmp_path: Path, end: str) -> None:
        text = (HEAD + "zzz: 1\n").replace("\n", end)
        (tmp_path / "m.yaml").write_bytes(b"\xef\xbb\xbf" + text.encode())
        with pytest.raises(InputError, match="line 5: zzz: unknown key\n  5 | zzz: 1"):
            load_manifest(tmp_path / "m.yaml")


TWO_SPECIES = [("co", "file: co.xyz, "), ("hole", "")]


class TestSpeciesAndPairs:
    def load(self, folder: Path, added: str) -> LoadedManifest[Any]:
        (folder / "m.yaml").write_text(HEAD + added)
        return load_manifest(folder / "m.yaml")

    def own(self, folder: Path, *rows: str) -> LoadedManifest[Any]:
        return self.load(folder, "species:\n  own:\n" + "".join(f"    - {{{row}}}\n" for row in rows))

    def error(self, loaded: LoadedManifest[Any]) -> str:
        with pytest.raises(InputError) as caught:
            all_pairs(loaded, species_of(loaded))
        return str(caught.value)

    def test_own_species_are_added(self, tmp_path: Path) -> None:
        (tmp_path / "co.xyz").write_text("2\n\nC 0 0 0\nO 0 1.1 0\n")
        loaded = self.own(
            tmp_path, "name: co, file: co.xyz, group: 1, lay: true", "name: hole, group: 1, cell_lengths: [4, 5, 4]"
        )
        species = species_of(loaded)
        assert len(species) == 129
        assert species["hole"].is_vacancy
        assert abs(species["co"].atoms.positions[:, 1]).max() == pytest.approx(0.55)
        assert len(all_pairs(loaded, species)["train"]) == 1049 + 20 + 21

    def test_files_that_are_not_there_are_told_with_all_else(self, tmp_path: Path) -> None:
        with pytest.raises(InputError) as caught:
            self.own(tmp_path, "name: co, file: co.xyz, group: 9", "name: co, file: [1], group: 1")
        assert [(each.position[0], each.what) for each in caught.value.problems] == [
            (7, 'species.own[0].file = "co.xyz"'),
            (7, "species.own[0].group = 9"),
            (8, "species.own[1].file = [1]"),
        ]

    def test_two_of_one_name(self) -> None:
        rows = "{name: a, group: 0, cell_lengths: [4, 4, 4]}, {name: a, group: 1, cell_lengths: [4, 5, 4]}"
        assert "species.own[1].name: another species is called a too" in message(HEAD + f"species: {{own: [{rows}]}}")

    def test_a_vacancy_needs_a_cell(self) -> None:
        text = message(HEAD + "species:\n  own:\n    - {name: a, group: 0}\n")
        assert text.startswith("m.yaml, line 7: species.own[0]: neither file nor cell_lengths")

    def test_all_that_is_wrong_with_own_species_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "broken.xyz").write_text("not a structure")
        loaded = self.own(
            tmp_path,
            "name: benzene, group: 3, cell_lengths: [7, 4, 7]",
            "name: broken, file: broken.xyz, group: 0",
            "name: skew, group: 0, cell_lengths: [4, 5, 4]",
        )
        text = self.error(loaded)
        assert text.startswith(f"{tmp_path}/m.yaml: 3 mistakes")
        assert "line 7: species.own[0].name: the library has a species called benzene already" in text
        assert "line 8: species.own[1]: path" in text
        assert "line 9: species.own[2]: cell_lengths" in text

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            ("group: 2, file: co.xyz", "group: 2, file: co.xyz"),
            ("group: 2, file: co.xyz", "group: 2, file: co.xyz, split: validation"),
            ("group: 2, file: co.xyz", "group: 1, file: co.xyz, cell_lengths: [3, 3, 3], split: validation"),
            ("group: 0, cell_lengths: [4, 4, 4]", "group: 0, cell_lengths: [4, 4, 4]"),
        ],
    )
    def test_twins_are_refused(self, tmp_path: Path, one: str, two: str) -> None:
        (tmp_path / "co.xyz").write_text("2\n\nC 0 0 0\nO 0 1.1 0\n")
        loaded = self.own(tmp_path, f"name: one, {one}", f"name: two, {two}")
        assert "line 8: species.own[1]: two has the very atoms and cell of one" in self.error(loaded)

    def test_holes_may_be_alike_where_they_make_no_pair(self, tmp_path: Path) -> None:
        cell = "cell_lengths: [5, 6, 5]"
        loaded = self.own(
            tmp_path,
            f"name: a, group: 1, {cell}",
            f"name: b, group: 2, {cell}",
            f"name: c, group: 1, split: validation, {cell}",
        )
        assert len(all_pairs(loaded, species_of(loaded))["train"]) == 1049 + 20 + 30

    def test_a_pair_in_two_groups(self, tmp_path: Path) -> None:
        (tmp_path / "co.xyz").write_text("2\n\nC 0 0 0\nO 0 1.1 0\n")
        cell = "cell_lengths: [5, 6, 5]"
        rows = [f"{{name: {n}{g}, {what}group: {g}, {cell}}}" for g in (1, 2) for n, what in TWO_SPECIES]
        loaded = self.load(tmp_path, f"species: {{library: false, own: [{', '.join(rows)}]}}\n")
        text = self.error(loaded)
        assert (
            "pairs.train: co2 (group 2, train) and hole2 (group 2, train) have the very atoms and cells of "
            "co1 (group 1, train) and hole1 (group 1, train)" in text
        )

    def test_an_element_without_a_form_factor(self, tmp_path: Path) -> None:
        (tmp_path / "es.xyz").write_text("1\n\nEs 0 0 0\n")
        loaded = self.own(tmp_path, "name: einsteinium, group: 0, file: es.xyz")
        assert "line 7: species.own[0]: atomic number 99: it has no form factor" in self.error(loaded)

    def test_a_group_that_is_named_and_has_no_pairs(self, tmp_path: Path) -> None:
        loaded = self.load(tmp_path, "pairs: {validation: {groups: [0, 4]}}\n")
        text = self.error(loaded)
        assert "line 5: pairs.validation.groups[1]: group 4 (perovskite) has no species in the split validation" in text

    def test_only_the_sets_of_splits_that_there_are_count(self) -> None:
        parse_manifest(
            HEAD + "pairs: {train: null}\nsro: {monte_carlo: {bank_size: 6, per_pair: {train: 12, validation: 6}}}"
        )

    def test_so_many_species_that_there_are_too_many_pairs(self, tmp_path: Path) -> None:
        rows = [f"name: hole-{i}, group: 1, cell_lengths: [5, {5 + i / 1000}, 5]" for i in range(1100)]
        text = self.error(self.own(tmp_path, *rows))
        assert "pairs.train: group 1 has 1120 species, which make 626640 pairs" in text

    def test_of_very_many_pairs_a_few_can_be_taken(self, tmp_path: Path) -> None:
        rows = [f"    - {{name: hole-{i}, group: 1, cell_lengths: [5, {5 + i / 1000}, 5]}}\n" for i in range(1100)]
        loaded = self.load(tmp_path, "pairs: {train: {groups: [1], per_group: 5}}\nspecies:\n  own:\n" + "".join(rows))
        chosen = all_pairs(loaded, species_of(loaded))["train"]
        assert [one.name for one, _ in (chosen[0], chosen[-1])] == ["diethyl_ether", "hole-1098"]
        assert len(set(chosen)) == 5

    @given(st.integers(2, 12), st.integers(1, 80))
    def test_the_pairs_taken_are_numbers_of_all_pairs(self, members: int, most: int) -> None:
        rows = ", ".join(f"{{name: h{i}, group: 0, cell_lengths: [{4 + i}, {4 + i}, {4 + i}]}}" for i in range(members))
        loaded = parse_manifest(
            HEAD + f"species: {{library: false, own: [{rows}]}}\npairs: {{train: {{per_group: {most}}}}}"
        )
        species = species_of(loaded)
        everything = pairs(species, "train")
        expected = np.linspace(0, len(everything) - 1, min(most, len(everything))).round().astype(int)
        assert all_pairs(loaded, species)["train"] == [everything[number] for number in expected]

    def test_names_of_pairs(self, tmp_path: Path) -> None:
        loaded = self.load(
            tmp_path,
            "pairs:\n  train:\n    only:\n      - [pyridin, Toluene]\n      - [pyridine, water]\n"
            "      - [pyridine, benzene]\n  validation: null\n",
        )
        text = self.error(loaded)
        assert "4 mistakes" in text
        assert "line 8: pairs.train.only[0][0]: there is no species pyridin\n" in text
        assert "remedy: did you mean pyridine?" in text
        assert "remedy: did you mean toluene?" in text
        assert "pairs.train.only[1]: pyridine (group 3, train) and water (group 2, train) are no pair" in text
        assert "pairs.train.only[2]: pyridine (group 3, train) and benzene (group 3, validation) are no pair" in text

    def test_a_name_like_no_other(self, tmp_path: Path) -> None:
        loaded = self.load(tmp_path, "pairs: {train: {only: [[pyridine, qqqqqq]]}}")
        assert "remedy: take one of the 127 there are: " in self.error(loaded)

    def test_named_pairs_in_any_order(self, tmp_path: Path) -> None:
        loaded = self.load(tmp_path, "pairs: {train: {only: [[toluene, pyridine]]}, validation: null}")
        chosen = all_pairs(loaded, species_of(loaded))
        assert [{one.name, other.name} for one, other in chosen["train"]] == [{"pyridine", "toluene"}]
        assert chosen["validation"] == []

    @pytest.mark.parametrize(
        ("added", "expected"),
        [
            ("pairs: {train: {only: [[a, b], [b, a]]}}", "pairs.train.only[1]: the pair b, a is there twice"),
            ("pairs: {train: {only: [[a, a]]}}", "pairs.train.only[0]: a paired with itself"),
            ("pairs: {train: {only: [[a, b]], per_group: 3}}", "pairs.train.per_group: only names the pairs"),
            ("pairs: {train: {groups: [1, 1]}}", "pairs.train.groups: a group is there twice"),
            ("pairs: {train: {groups: []}}", "pairs.train.groups = []"),
            ("pairs: {train: {per_group: 0}}", "pairs.train.per_group = 0"),
            ("pairs: {train: null, validation: null}", "pairs: no pairs at all"),
            ("planes: {oscillator: {layers: [1, 1.0]}}", "planes.oscillator.layers[1]: 1 is there twice"),
            ("store: ''", "the key is there twice"),
        ],
    )
    def test_what_makes_no_sense(self, added: str, expected: str) -> None:
        assert f"m.yaml, line 5: {expected}" in message(HEAD + added) or expected in message(HEAD + added)

    def test_no_pairs_left(self, tmp_path: Path) -> None:
        loaded = self.load(tmp_path, "species: {library: false}\n")
        assert "not a single pair of species is asked for" in self.error(loaded)

    def test_a_choice_of_pairs_is_even_and_always_the_same(self, tmp_path: Path) -> None:
        loaded = self.load(tmp_path, "pairs: {train: {groups: [4, 0], per_group: 3}, validation: null}")
        species = species_of(loaded)
        chosen, again = all_pairs(loaded, species)["train"], all_pairs(loaded, species)["train"]
        assert chosen == again
        assert [one.group for one, _ in chosen] == [0, 0, 0, 4, 4, 4]

    def test_counts_of_what_is_chosen(self, tmp_path: Path) -> None:
        loaded = self.load(
            tmp_path,
            "pairs: {train: {groups: [4], per_group: 2}, validation: {groups: [0], per_group: 3}}\n"
            "sro:\n  monte_carlo: {bank_size: 9, per_pair: {train: 1, validation: 2}}\n"
            "  oscillator: {per_pair: {train: 3, validation: 4}}\n"
            "planes: {monte_carlo: {layers_per_axis: 5}, oscillator: {layers: [0, 0.5]}}\n",
        )
        found = declared(loaded)
        assert pairs_and_planes(found) == {"train": (2, 2 * (15 + 6)), "validation": (3, 3 * (30 + 8))}
        assert (found["sro_sets"], found["masks"]) == (9, 1024)


class TestFeasibility:
    @pytest.mark.parametrize(
        ("added", "expected"),
        [
            ("sro: {oscillator: {amplitude: [5, 6], decay: [0.1, 0.2]}}", "sro.oscillator: of thousands of draws"),
            ("dead_zones: {live_fraction: [0, 0.02]}", "dead_zones.live_fraction: hardly a mask"),
            ("dead_zones: {live_fraction: [0.5, 0.5]}", "dead_zones.live_fraction: hardly a mask"),
            ("sro: {monte_carlo: {box: 16, targets: [0.9, 0.95]}}", "sro.monte_carlo.targets: domains of such order"),
        ],
    )
    def test_draws_that_hardly_ever_succeed(self, added: str, expected: str) -> None:
        with pytest.raises(InputError) as caught:
            check_feasible(parse_manifest(HEAD + added, "m.yaml"))
        assert str(caught.value).startswith(f"m.yaml, line 5: {expected}")

    def test_what_is_not_drawn_is_not_tried(self) -> None:
        check_feasible(
            parse_manifest(
                HEAD + "dead_zones: {bank_size: 0, live_fraction: [0, 0]}\n"
                "sro: {oscillator: {amplitude: [9, 9], decay: [0, 0], per_pair: {train: 0, validation: 0}}}\n"
            )
        )
