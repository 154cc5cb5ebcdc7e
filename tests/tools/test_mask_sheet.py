from tools.mask_sheet import draw_live_shares, draw_masks


def test_sheets_are_drawn(tmp_path):
    draw_masks(tmp_path / "masks.png", seed=1, count=5)
    draw_live_shares(tmp_path / "shares.png", seed=1, count=5)
    for name in ("masks.png", "shares.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
