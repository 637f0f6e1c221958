"""Folding of Chinese characters: traditional and simplified to one form, and to pinyin. Tables are read once.

One character, one reading: `pypinyin`'s dictionary of single characters, first reading, without tones; family names
that are read differently as names (單 Shan, 曾 Zeng, 區 Ou) have their own table. `OpenCC`'s t2s makes traditional
characters simplified; variants that fall together (乾, 干) find each other, which is what a search wants.
"""

import re
import unicodedata
from functools import cache

CHINESE_RUN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")

_COMPOUND = """
    欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠
    公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁
    拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 东门 西门 第五 张简 范姜
"""
COMPOUND_FAMILY_NAMES = frozenset(_COMPOUND.split())
"""In simplified form, as names are folded before they are looked at."""

FAMILY_READINGS = {
    "单": "shan", "曾": "zeng", "区": "ou", "仇": "qiu", "解": "xie", "任": "ren", "朴": "piao", "查": "zha",
    "乐": "yue", "盖": "ge", "种": "chong", "繁": "po", "员": "yun", "黑": "he", "召": "shao", "翟": "zhai",
    "折": "she", "秘": "bi", "宿": "su", "冼": "xian", "洗": "xian", "覃": "qin", "缪": "miao", "尹": "yin",
    "燕": "yan", "应": "ying", "华": "hua", "重": "chong", "都": "du", "贾": "jia", "祭": "zhai", "牟": "mou",
    "哈": "ha", "句": "gou", "谌": "chen", "逄": "pang", "隗": "wei", "沈": "shen", "石": "shi", "车": "che",
    "晟": "cheng", "行": "xing", "令狐": "linghu", "万俟": "moqi", "尉迟": "yuchi", "澹台": "tantai",
    "长孙": "zhangsun", "乐正": "yuezheng", "宰父": "zaifu", "鲜于": "xianyu",
}  # fmt: skip


@cache
def simplified_table() -> dict[int, str]:
    """For `str.translate`: each character whose simplified form differs."""
    from opencc import OpenCC

    characters = [chr(code) for start, end in ((0x3400, 0xA000), (0xF900, 0xFB00)) for code in range(start, end)]
    # Characters of one shape but two code points first become one (NFKC), as they do in what people type.
    normal = [unicodedata.normalize("NFKC", character) for character in characters]
    folded = OpenCC("t2s").convert("\n".join(normal)).split("\n")
    return {
        ord(character): simple
        for character, simple in zip(characters, folded, strict=True)
        if simple != character and len(simple) == 1
    }


@cache
def pinyin_table() -> dict[str, str]:
    """Simplified or traditional character to its first reading, lower case, without tone; ü is written v."""
    from pypinyin.constants import PINYIN_DICT

    return {chr(code): _without_tone(readings.split(",", 1)[0]) for code, readings in PINYIN_DICT.items()}


def _without_tone(syllable: str) -> str:
    plain: list[str] = []
    for letter in unicodedata.normalize("NFD", syllable):
        if letter == "\u0308":  # the two dots of ü
            plain[-1] = "v"
        elif "a" <= letter <= "z":
            plain.append(letter)
    return "".join(plain)


def simplified(text: str) -> str:
    """`text` with every traditional character in its simplified form."""
    return text.translate(simplified_table())


def family_length(name: str) -> int:
    """How many characters of a (simplified) Chinese name are the family name."""
    return 2 if len(name) > 2 and name[:2] in COMPOUND_FAMILY_NAMES else 1


def syllables(name: str, *, family: int) -> list[str]:
    """The readings of a (simplified) Chinese name whose first `family` characters are a family name.

    A character without a known reading is left out; a compound family name is one item.
    """
    table = pinyin_table()
    read = [table.get(character, "") for character in name[family:]]
    if family:
        head = name[:family]
        read.insert(0, FAMILY_READINGS.get(head) or "".join([table.get(character, "") for character in head]))
    return [syllable for syllable in read if syllable]


def folded_latin(text: str) -> str:
    """Lower case without accents: "Zoë Müller" is "zoe muller"."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
