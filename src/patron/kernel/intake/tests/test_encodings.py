"""Which encoding a file is in."""

import pytest

from patron.kernel.intake.encodings import detect, normal_name

TRADITIONAL = "會員編號,姓名,電話,地址\nM0001,陳大文,61234567,香港九龍旺角彌敦道一號\nM0002,黃美玲,91234567,新界沙田\n"
SIMPLIFIED = (
    "会员编号,姓名,电话,地址\nM0001,陈大文,13812345678,广州市天河区体育东路一号\nM0002,黄美玲,13912345678,深圳市\n"
)


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (TRADITIONAL, "utf-8", "utf-8"),
        (TRADITIONAL, "utf-8-sig", "utf-8"),
        (TRADITIONAL, "utf-16", "utf-16"),
        (TRADITIONAL, "utf-16-le", "utf-16le"),
        (TRADITIONAL, "cp950", "cp950"),
        (TRADITIONAL + "M0003,張三,61234568,屯門仁愛廣場嘅舖頭\n", "big5hkscs", "big5hkscs"),
        (SIMPLIFIED, "gb18030", "gb18030"),
        (SIMPLIFIED, "gb2312", "gb18030"),
        ("invoice,description\n1,CAFÉ CRÈME\n2,PRICE IN £\n", "cp1252", "cp1252"),
        ("invoice,description\n1,plain\n", "ascii", "utf-8"),
    ],
)
def test_the_encoding_is_found_from_a_sample(text: str, encoding: str, found: str) -> None:
    assert detect(text.encode(encoding)).encoding == found


def test_a_sample_cut_inside_a_character_is_still_known() -> None:
    assert detect(TRADITIONAL.encode()[:-20]).encoding == "utf-8"
    assert detect(TRADITIONAL.encode("cp950")[:31]).encoding == "cp950"


def test_names_of_encodings_are_made_one() -> None:
    assert [normal_name(name) for name in ("GBK", "gb2312", "Big5", "utf8", "UTF-8-SIG")] == [
        "gb18030", "gb18030", "cp950", "utf-8", "utf-8",
    ]  # fmt: skip
