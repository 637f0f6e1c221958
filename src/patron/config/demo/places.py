"""Where the demo company's branches stand: districts of Hong Kong, with approximate coordinates."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A district: its names, and the latitude and longitude of its centre."""

    name: str
    latin: str
    latitude: float
    longitude: float


PLACES = tuple(
    Place(*row)
    for row in (
        ("中環", "Central", 22.2819, 114.1582),
        ("上環", "Sheung Wan", 22.2866, 114.1503),
        ("西營盤", "Sai Ying Pun", 22.2858, 114.1427),
        ("堅尼地城", "Kennedy Town", 22.2812, 114.1288),
        ("金鐘", "Admiralty", 22.2790, 114.1655),
        ("灣仔", "Wan Chai", 22.2770, 114.1731),
        ("銅鑼灣", "Causeway Bay", 22.2803, 114.1848),
        ("跑馬地", "Happy Valley", 22.2688, 114.1858),
        ("天后", "Tin Hau", 22.2826, 114.1919),
        ("北角", "North Point", 22.2912, 114.2007),
        ("鰂魚涌", "Quarry Bay", 22.2878, 114.2096),
        ("太古", "Tai Koo", 22.2847, 114.2163),
        ("西灣河", "Sai Wan Ho", 22.2820, 114.2220),
        ("筲箕灣", "Shau Kei Wan", 22.2793, 114.2288),
        ("柴灣", "Chai Wan", 22.2646, 114.2371),
        ("香港仔", "Aberdeen", 22.2487, 114.1552),
        ("鴨脷洲", "Ap Lei Chau", 22.2421, 114.1563),
        ("赤柱", "Stanley", 22.2188, 114.2136),
        ("尖沙咀", "Tsim Sha Tsui", 22.2973, 114.1722),
        ("佐敦", "Jordan", 22.3049, 114.1717),
        ("油麻地", "Yau Ma Tei", 22.3129, 114.1707),
        ("旺角", "Mong Kok", 22.3193, 114.1694),
        ("太子", "Prince Edward", 22.3246, 114.1683),
        ("大角咀", "Tai Kok Tsui", 22.3211, 114.1608),
        ("深水埗", "Sham Shui Po", 22.3307, 114.1622),
        ("長沙灣", "Cheung Sha Wan", 22.3354, 114.1562),
        ("荔枝角", "Lai Chi Kok", 22.3372, 114.1482),
        ("美孚", "Mei Foo", 22.3375, 114.1379),
        ("石硤尾", "Shek Kip Mei", 22.3321, 114.1689),
        ("九龍塘", "Kowloon Tong", 22.3369, 114.1763),
        ("何文田", "Ho Man Tin", 22.3093, 114.1827),
        ("紅磡", "Hung Hom", 22.3030, 114.1816),
        ("土瓜灣", "To Kwa Wan", 22.3171, 114.1877),
        ("黃大仙", "Wong Tai Sin", 22.3417, 114.1938),
        ("鑽石山", "Diamond Hill", 22.3400, 114.2017),
        ("彩虹", "Choi Hung", 22.3349, 114.2090),
        ("牛頭角", "Ngau Tau Kok", 22.3155, 114.2190),
        ("觀塘", "Kwun Tong", 22.3121, 114.2264),
        ("藍田", "Lam Tin", 22.3068, 114.2329),
        ("油塘", "Yau Tong", 22.2980, 114.2371),
        ("將軍澳", "Tseung Kwan O", 22.3074, 114.2600),
        ("坑口", "Hang Hau", 22.3156, 114.2644),
        ("寶琳", "Po Lam", 22.3226, 114.2579),
        ("西貢", "Sai Kung", 22.3814, 114.2705),
        ("沙田", "Sha Tin", 22.3826, 114.1873),
        ("大圍", "Tai Wai", 22.3729, 114.1786),
        ("馬鞍山", "Ma On Shan", 22.4249, 114.2316),
        ("火炭", "Fo Tan", 22.3953, 114.1983),
        ("大埔", "Tai Po", 22.4509, 114.1644),
        ("粉嶺", "Fanling", 22.4920, 114.1386),
        ("上水", "Sheung Shui", 22.5015, 114.1280),
        ("荃灣", "Tsuen Wan", 22.3714, 114.1178),
        ("葵芳", "Kwai Fong", 22.3569, 114.1279),
        ("青衣", "Tsing Yi", 22.3583, 114.1074),
        ("屯門", "Tuen Mun", 22.3951, 113.9732),
        ("元朗", "Yuen Long", 22.4457, 114.0346),
        ("天水圍", "Tin Shui Wai", 22.4484, 114.0046),
        ("東涌", "Tung Chung", 22.2891, 113.9415),
        ("愉景灣", "Discovery Bay", 22.2958, 114.0170),
        ("長洲", "Cheung Chau", 22.2089, 114.0288),
    )
)
