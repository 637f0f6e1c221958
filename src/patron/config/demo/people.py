"""Synthetic identities: three in four Chinese names, the rest English. Nobody real; the same ones every time."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from faker import Faker
from pypinyin import lazy_pinyin

from patron.config.demo.places import PLACES, Place

CHINESE_SHARE = 0.75
DOUBLE_FAMILY_NAMES = ("歐陽", "司徒", "上官", "諸葛", "司馬", "端木")
OCCUPATIONS = (
    "Teacher", "Nurse", "Accountant", "Engineer", "Clerk", "Driver", "Designer", "Chef", "Shop owner", "Civil servant",
    "Student", "Retired", "Homemaker", "Programmer", "Doctor", "Salesperson",
)  # fmt: skip
PREFERENCES = (
    "Prefers Cantonese, SMS, mornings.",
    "Asks for paper receipts.",
    "Buys organic milk; never pork.",
    "Comes with a wheelchair: keep aisle 3 free.",
    "Collects gifts for grandchildren.",
    "Vegetarian on the 1st and 15th of the lunar month.",
    "Please speak Mandarin.",
    "Likes to be told of wine offers.",
)


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up member."""

    family_name: str
    given_name: str
    name: str
    latin_name: str
    sex: str
    birth_on: date | None
    phone: str
    email: str
    language: str
    occupation: str
    preferences: str
    place: Place
    latitude: float
    longitude: float
    street: str
    joined_on: date
    takes_sms: bool
    takes_email: bool


def people(
    ages: Sequence[tuple[int, int] | None], homes: Sequence[int], *, first_purchase_on: date, seed: int = 20
) -> Iterator[Person]:
    """One person for each of `ages` (an age band, or None where nobody asked) and `homes` (index into PLACES).

    Everyone joined before `first_purchase_on`.
    """
    chance = random.Random(seed)  # noqa: S311 (names, not secrets)
    chinese, english = Faker("zh_TW"), Faker("en_GB")
    chinese.seed_instance(seed)
    english.seed_instance(seed)
    for number, (age, home) in enumerate(zip(ages, homes, strict=True)):
        sex = "female" if chance.random() < 0.62 else "male"
        is_chinese = chance.random() < CHINESE_SHARE
        family, given, name, latin = _name(chinese if is_chinese else english, sex, is_chinese)
        place = PLACES[home]
        yield Person(
            family_name=family,
            given_name=given,
            name=name,
            latin_name=latin,
            sex=sex,
            birth_on=_birthday(chance, age, first_purchase_on),
            phone=f"+852{chance.choice('569')}{chance.randrange(10**7):07d}",
            email=f"{latin.lower().replace(' ', '.').replace('-', '')}.{number}@example.com" if number % 3 else "",
            language=chance.choices(("zh-hant", "zh-hans"), (8, 2))[0] if is_chinese else "en",
            occupation=chance.choice(OCCUPATIONS) if chance.random() < 0.6 else "",
            preferences=chance.choice(PREFERENCES) if chance.random() < 0.12 else "",
            place=place,
            latitude=round(place.latitude + chance.gauss(0, 0.006), 6),
            longitude=round(place.longitude + chance.gauss(0, 0.006), 6),
            street=f"{chance.randrange(1, 280)} {english.street_name()}",
            joined_on=first_purchase_on - timedelta(days=chance.randrange(1, 365 * 7)),
            takes_sms=chance.random() < 0.72,
            takes_email=chance.random() < 0.55,
        )


def _name(faker: Faker, sex: str, is_chinese: bool) -> tuple[str, str, str, str]:
    """Family name, given name, full name as it is written, and in Latin letters."""
    if not is_chinese:
        given = faker.first_name_female() if sex == "female" else faker.first_name_male()
        family = faker.last_name()
        return family, given, f"{given} {family}", f"{given} {family}"
    full = faker.name_female() if sex == "female" else faker.name_male()
    length = 2 if full[:2] in DOUBLE_FAMILY_NAMES else 1
    family, given = full[:length], full[length:]
    first, *rest = lazy_pinyin(given)
    latin = f"{''.join(lazy_pinyin(family)).title()} {'-'.join([first.title(), *rest])}"
    return family, given, full, latin


def _birthday(chance: random.Random, age: tuple[int, int] | None, today: date) -> date | None:
    if age is None:
        return None if chance.random() < 0.4 else _birthday(chance, (19, 80), today)
    low, high = age
    return today - timedelta(days=chance.randrange(low * 365, (high + 1) * 365))
