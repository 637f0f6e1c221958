"""What a customer file may say of membership: a card number, the day of joining."""

from django.utils.translation import gettext_lazy as _

from patron.business.loyalty.enrolling import enrol_chunk
from patron.kernel.intake.contract import ImportExtension, ImportField, ImportOption, Treatment, extensions

_DIGITS = "regexp_replace(card_number, '[\\s-]', '', 'g')"

# The Luhn sum, from the right: every second digit counts double, less nine where that has two digits.
_LUHN = f"""list_sum([
    CASE WHEN (length({_DIGITS}) - i) % 2 = 0 THEN substr({_DIGITS}, i, 1)::int
        ELSE substr('0246813579', substr({_DIGITS}, i, 1)::int + 1, 1)::int END
    for i in range(1, length({_DIGITS}) + 1)]) % 10"""

_WRONG = f"""CASE WHEN card_number IS NULL THEN false
    WHEN NOT regexp_full_match({_DIGITS}, '[0-9]{{8,24}}') THEN true ELSE {_LUHN} <> 0 END"""

extensions.register(
    ImportExtension(
        name="loyalty",
        importer="customers",
        fields=(
            ImportField(
                "card_number",
                _("Card number"),
                max_length=40,
                aliases=(
                    "card",
                    "card no",
                    "member card",
                    "membership card",
                    "loyalty card",
                    "卡號",
                    "卡号",
                    "會員卡號",
                    "会员卡号",
                ),
                help=_("The number on the member's card; its last digit is a check digit."),
            ),
            ImportField(
                "joined_on",
                _("Joined on"),
                "date",
                aliases=("joined", "member since", "join date", "enrolled on", "入會日期", "入会日期", "會員開始日期"),
            ),
        ),
        options=(
            ImportOption(
                "enrol",
                _("Enrol as members"),
                default="auto",
                choices=(
                    ("auto", _("Rows with a card number or a day of joining")),
                    ("yes", _("Every customer of the file")),
                    ("no", _("Nobody")),
                ),
                help=_("Members without a card number of their own get a new one."),
            ),
            ImportOption(
                "programme",
                _("Programme"),
                help=_("Code of the loyalty programme; not needed where there is only one."),
            ),
        ),
        treatments=(
            Treatment(
                "card_check_digit",
                _("Not a card number, or its check digit is wrong: the customer goes in without it"),
                "fix",
                condition=_WRONG,
                message=_("This card number is not valid. Check it against the card."),
                fixes={"card_number": f"CASE WHEN {_WRONG} THEN NULL ELSE {_DIGITS} END"},
                column="card_number",
                needs=("card_number",),
            ),
            Treatment(
                "card_taken",
                _("Card number held by another customer: the customer went in without it"),
                "note",
                column="card_number",
                needs=("card_number",),
            ),
            Treatment(
                "no_programme",
                _("There is no loyalty programme yet: nobody was enrolled"),
                "note",
                column="joined_on",
            ),
            Treatment(
                "joined_in_future",
                _("Day of joining in the future: taken as today"),
                "note",
                column="joined_on",
                needs=("joined_on",),
            ),
        ),
        apply=enrol_chunk,
    )
)
