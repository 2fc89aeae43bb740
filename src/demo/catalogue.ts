export interface Category {
  readonly name: string;
  /** The purchase price, as a share of the sales price. */
  readonly costShare: number;
  /** The stock level at which the warehouse reorders, and how much it orders. */
  readonly reorderLevel: number;
  readonly reorderSize: number;
  /** How often orders contain it, and in which quantities. */
  readonly demand: number;
  readonly quantities: readonly number[];
  /** One product per line: SKU | name | price in cents | when | description. */
  readonly products: string;
}

/** `when`: `-`, or `new 120` for a launch 120 working days ago, or `ended 150`. */
export const catalogue: readonly Category[] = [
  {
    name: 'Espresso machines',
    costShare: 0.62,
    reorderLevel: 6,
    reorderSize: 20,
    demand: 6,
    quantities: [1, 1, 1, 1, 1, 2],
    products: `
ESP-110 | Kestrel Solo | 69000 | - | One-group bean-to-cup machine for teams of up to 10, 40 cups a day.
ESP-120 | Kestrel Duo | 119000 | - | Bean-to-cup machine with a milk system for teams of up to 25, 90 cups a day.
ESP-130 | Kestrel Pro | 245000 | - | Two bean hoppers, mains water and a status page, for up to 60 people.
ESP-135 | Kestrel Pro Tall | 269000 | new 140 | The Kestrel Pro with room for jugs under the outlet.
ESP-210 | Eagle One | 390000 | - | One-group lever machine for a café corner, mains water.
ESP-220 | Eagle Two | 540000 | - | Two-group machine for canteens, up to 250 cups a day.
ESP-105 | Kestrel Mini | 52000 | ended 150 | Small machine for a meeting room, 15 cups a day.`,
  },
  {
    name: 'Filter machines',
    costShare: 0.58,
    reorderLevel: 6,
    reorderSize: 20,
    demand: 5,
    quantities: [1, 1, 1, 2, 2, 3],
    products: `
FIL-108 | Wren 8 | 14900 | - | Filter machine with a glass jug of 1.25 litres and a plate that switches itself off.
FIL-115 | Wren 15 | 22900 | - | Filter machine with a glass jug of 2.2 litres for meetings.
FIL-120 | Wren Thermo | 28900 | - | Brews into a steel flask that holds 80 °C for three hours.
FIL-125 | Wren Thermo Twin | 44900 | new 210 | Two flasks side by side, one brew after the other.
FIL-104 | Wren 4 | 9900 | ended 220 | Filter machine for two, with a jug of 0.6 litres.`,
  },
  {
    name: 'Grinders',
    costShare: 0.6,
    reorderLevel: 8,
    reorderSize: 24,
    demand: 6,
    quantities: [1, 1, 1, 1, 2],
    products: `
GRI-054 | Merlin 54 grinder | 32000 | - | Steel burrs of 54 mm, two timed doses, for one machine.
GRI-064 | Merlin 64 grinder | 48000 | - | Steel burrs of 64 mm, quiet housing, for offices of up to 40.
GRI-080 | Merlin 80 grinder | 89000 | - | Burrs of 80 mm, doses by weight, for cafés and canteens.
GRI-090 | Merlin Filter grinder | 54000 | - | Burrs cut for filter coffee, 250 g in half a minute.
GRI-050 | Merlin 50 grinder | 26000 | ended 90 | Our first grinder; spare parts stay available.`,
  },
  {
    name: 'Coffee beans',
    costShare: 0.48,
    reorderLevel: 60,
    reorderSize: 240,
    demand: 36,
    quantities: [2, 4, 6, 6, 8, 10, 12, 12, 18, 24, 36],
    products: `
COF-010 | Harbour Blend, 1 kg | 2250 | - | Round and nutty, a medium roast that most offices agree on.
COF-020 | Night Shift, 1 kg | 2150 | - | Dark roast with some robusta, strong with milk.
COF-030 | First Light, 1 kg | 2400 | - | Light roast for filter machines, citrus and honey.
COF-040 | Low Tide decaf, 1 kg | 2600 | - | Decaffeinated with water, tastes of cocoa.
COF-050 | Huila, 1 kg | 3100 | - | Single origin from Colombia, red fruit and caramel.
COF-060 | Sidama, 1 kg | 3300 | - | Single origin from Ethiopia, jasmine and peach.
COF-070 | Cerrado, 1 kg | 2700 | - | Single origin from Brazil, chocolate and almond.
COF-080 | Harbour Blend ground, 1 kg | 2350 | - | Harbour Blend, ground for filter machines.
COF-090 | Lighthouse organic, 1 kg | 2850 | new 240 | Organic blend from three cooperatives, medium roast.
COF-095 | Winter Pier, 1 kg | 2550 | new 70 | Seasonal blend with notes of orange and clove.`,
  },
  {
    name: 'Tea and chocolate',
    costShare: 0.45,
    reorderLevel: 40,
    reorderSize: 160,
    demand: 11,
    quantities: [1, 2, 2, 3, 4, 6, 12],
    products: `
TEA-010 | Breakfast tea, 100 bags | 1450 | - | Strong black tea, wrapped one by one.
TEA-020 | Earl Grey, 100 bags | 1550 | - | Black tea with bergamot oil.
TEA-030 | Green sencha, 100 bags | 1750 | - | Steamed green tea, best at 75 °C.
TEA-040 | Peppermint, 100 bags | 1350 | - | Only peppermint, without caffeine.
TEA-050 | Rooibos vanilla, 100 bags | 1490 | - | Mild and without caffeine.
TEA-060 | Ginger and lemon, 100 bags | 1490 | new 180 | For the season of colds.
CHO-010 | Drinking chocolate 33 %, 1 kg | 1690 | - | Powder for machines and for a spoon.
CHO-020 | Dark chocolate flakes, 500 g | 1590 | - | Flakes with 60 % cocoa, to melt in hot milk.`,
  },
  {
    name: 'Cleaning and descaling',
    costShare: 0.35,
    reorderLevel: 40,
    reorderSize: 160,
    demand: 15,
    quantities: [1, 2, 2, 3, 4, 6, 12],
    products: `
CLE-010 | Clearwater descaler, 10 sachets | 2490 | - | Descaler for all our machines, one sachet a cycle.
CLE-020 | Brightline milk cleaner, 1 l | 1390 | - | For the daily cleaning of milk systems, 15 ml a time.
CLE-030 | Cleaning tablets, 100 pieces | 2190 | - | For the brew group of Kestrel and Eagle machines.
CLE-040 | Grinder cleaning pellets, 450 g | 2690 | - | Food-safe pellets that take oil off the burrs.
CLE-050 | Clearwater filter S | 1290 | - | Water filter for up to 14 °dH, two months or 50 litres.
CLE-060 | Clearwater filter M | 1590 | - | Water filter for more than 14 °dH, two months or 50 litres.
CLE-070 | Group brush and needle set | 990 | - | Brush, needle and a cloth.
CLE-080 | Brew group grease, 5 g | 590 | - | Grease for seals that touch food.`,
  },
  {
    name: 'Spare parts',
    costShare: 0.4,
    reorderLevel: 40,
    reorderSize: 160,
    demand: 9,
    quantities: [1, 1, 1, 2, 2, 4],
    products: `
SPA-010 | Kestrel brew group | 8900 | - | Complete brew group, to be changed without tools.
SPA-020 | Kestrel drip tray | 2400 | - | Tray with grid and float.
SPA-030 | Kestrel water tank, 2.5 l | 3900 | - | Tank with lid and valve.
SPA-040 | Milk hose set | 1450 | - | Three hoses and two air nozzles.
SPA-050 | Seal kit Kestrel | 1290 | - | All seals that wear, with a tube of grease.
SPA-060 | Merlin hopper, 1.2 kg | 3200 | - | Hopper with lid and slide for Merlin 64 and 80.
SPA-070 | Merlin 64 burr set | 6900 | - | A pair of steel burrs, good for 600 kg.
SPA-080 | Wren glass jug, 1.25 l | 1900 | - | Jug with lid for the Wren 8.
SPA-090 | Wren steel flask, 1.8 l | 4900 | - | Flask for the Wren Thermo models.`,
  },
  {
    name: 'Cups and accessories',
    costShare: 0.42,
    reorderLevel: 40,
    reorderSize: 160,
    demand: 12,
    quantities: [1, 2, 4, 6, 6, 12, 24],
    products: `
CUP-010 | Espresso cup, white | 650 | - | Porcelain, 80 ml, with saucer.
CUP-020 | Cappuccino cup, white | 790 | - | Porcelain, 180 ml, with saucer.
CUP-030 | Mug, harbour blue | 890 | - | Stoneware, 300 ml, for the dishwasher.
CUP-040 | Travel cup, steel | 1990 | - | Double wall, 350 ml, fits under all our outlets.
CUP-050 | Glass for latte, 6 pieces | 2490 | - | Tempered glass, 320 ml.
ACC-010 | Milk jug, 600 ml | 1790 | - | Steel jug with a narrow spout.
ACC-020 | Cup warmer for 12 cups | 12900 | - | Two shelves, 50 °C, switches itself off.
ACC-030 | Knock box | 2990 | - | Rubber bar and steel box, quiet.`,
  },
];
