"""Numbers given by the state, and the letters people search by."""

from __future__ import annotations

from collections import Counter

import pytest

from institutions import codes
from institutions.pinyin import initials


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("12370306990000017F", "12370306990000017F"),
        ("1237 0306 9900 00025a", "12370306990000025A"),
        ("5237030699000005XK", "5237030699000005XK"),
    ],
)
def test_a_credit_code_is_taken_with_blanks_and_small_letters(given, plain):
    assert codes.check_uscc(given) == plain


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("1237030699000001", "18 位"),
        ("12370306990000017G", "校验位"),
        ("1237030699000001OF", "不含 I、O"),
        ("", "18 位"),
    ],
)
def test_a_wrong_credit_code_is_refused_with_the_reason(given, reason):
    with pytest.raises(ValueError, match=reason):
        codes.check_uscc(given)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("PDY00054337030617D6001", "PDY00054337030617D6001"),
        ("pdy000543-370306-17-d600-1", "PDY00054337030617D6001"),
        ("370306170001", "370306170001"),
        (" 暂无 ", "暂无"),
    ],
)
def test_a_registration_number_is_taken(given, plain):
    assert codes.check_registration(given) == plain


@pytest.mark.parametrize("given", ["PDY0005433703061D6001", "37030617000", "无", "", "=1+1"])
def test_a_wrong_registration_number_is_refused(given):
    with pytest.raises(ValueError, match="22 位"):
        codes.check_registration(given)


def test_resident_numbers_are_checked_and_hidden():
    assert codes.check_resident_id("11010519491231002x") == "11010519491231002X"
    for wrong in ("110105194912310021", "11010519491331002X", "110105491231002", "abc"):
        with pytest.raises(ValueError, match="身份证号"):
            codes.check_resident_id(wrong)
    assert codes.mask_resident_id("11010519491231002X") == "1101*************X"


def test_telephone_numbers_are_checked_and_hidden():
    assert codes.check_phone("138 0013 8000") == "13800138000"
    assert codes.check_phone("0533-6195000") == "0533-6195000"
    for wrong in ("1380013800", "12345678901", "１３８００１３８０００", ""):
        with pytest.raises(ValueError, match="电话号码"):
            codes.check_phone(wrong)
    assert codes.mask_phone("13800138000") == "138****8000"
    assert codes.mask_phone("0533-6195000") == "0533-619****"
    assert codes.mask_phone("") == ""


def test_personal_numbers_are_hidden_inside_a_text_and_others_are_not():
    text = "患者11010519491231002X，电话13800138000，机构370306001，代码12370306990000017F"
    assert codes.mask_personal(text) == (
        "患者1101*************X，电话138****8000，机构370306001，代码12370306990000017F"
    )


def test_the_divisions_go_from_province_to_county_each_once_parents_first():
    seen: dict[str, codes.RegionName] = {}
    for region in codes.regions():
        assert region.code not in seen
        assert region.until is None
        assert region.parent_code in seen if region.parent_code else region.level == "省"
        seen[region.code] = region
    assert seen["370306"][:4] == ("370306", "周村区", "县", "370300")
    assert seen["370300"][:4] == ("370300", "淄博市", "市", "370000")
    assert "429001" not in seen and seen["429021"].name == "神农架林区"
    assert seen["330114"].name == "钱塘区"
    assert seen["441900"].parent_code == "440000"
    levels = Counter(region.level for region in seen.values())
    assert levels["省"] == 34
    assert 335 <= levels["市"] <= 345
    counties = [r for r in seen.values() if r.level == "县" and r.name not in ("市辖区", "县")]
    assert 2_840 <= len(counties) <= 2_860


def test_former_names_come_with_their_years_when_asked_for():
    former = [region for region in codes.regions(include_former=True) if region.code == "340203"]
    assert former and all(region.until for region in former)
    both = [r.name for r in codes.regions(include_former=True) if r.code == "130502"]
    assert both == ["桥东区", "襄都区"]


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("周村区卫生健康局", "zcqwsjkj"),
        ("重庆市渝中区", "cqsyzq"),
        ("第148医院（东院）", "d148yydy"),
        ("ＡＢＣ Clinic", "abcclinic"),
        ("", ""),
    ],
)
def test_a_name_is_found_by_its_initials(name, letters):
    assert initials(name) == letters
