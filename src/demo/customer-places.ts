/**
 * A country with customers. `customers` is how many of the demo company's 199 generated customers are there.
 */
export interface Country {
  readonly region: 'europe' | 'north-america' | 'asia-pacific' | 'latin-america';
  readonly name: string;
  readonly customers: number;
  readonly dial: string;
  readonly legalForms: readonly string[];
  /** `City/area code` */
  readonly cities: readonly string[];
  /** `#` is replaced by the house number. */
  readonly streets: readonly string[];
  readonly firstNames: readonly string[];
  readonly lastNames: readonly string[];
}

const list = (text: string): string[] => text.split(', ');

type Texts = Pick<Country, 'region' | 'name' | 'customers' | 'dial'> &
  Record<'legalForms' | 'cities' | 'streets' | 'firstNames' | 'lastNames', string>;

const country = (texts: Texts): Country => ({
  ...texts,
  legalForms: list(texts.legalForms),
  cities: list(texts.cities),
  streets: list(texts.streets),
  firstNames: list(texts.firstNames),
  lastNames: list(texts.lastNames),
});

const europe: readonly Country[] = [
  country({
    region: 'europe',
    name: 'Germany',
    customers: 22,
    dial: '49',
    legalForms: 'GmbH, AG, KG',
    cities: 'Berlin/30, Hamburg/40, München/89, Köln/221, Leipzig/341',
    streets: 'Gartenstraße #, Am Markt #, Lindenweg #, Hafenstraße #',
    firstNames: 'Anja, Jonas, Lena, Matthias, Sabine, Tobias, Nele, Emre',
    lastNames: 'Hartmann, Brandt, Vogel, Köhler, Lorenz, Weidner, Yıldız, Reimann',
  }),
  country({
    region: 'europe',
    name: 'France',
    customers: 15,
    dial: '33',
    legalForms: 'SAS, SARL',
    cities: 'Paris/1, Lyon/4, Nantes/2, Bordeaux/5, Lille/3',
    streets: '# rue des Tilleuls, # quai du Port, # avenue de la Gare',
    firstNames: 'Amélie, Julien, Chloé, Mathieu, Inès, Rémi, Hélène',
    lastNames: 'Faure, Girard, Bonnet, Lemaire, Chevalier, Aubert, Marchand',
  }),
  country({
    region: 'europe',
    name: 'Netherlands',
    customers: 14,
    dial: '31',
    legalForms: 'BV, NV',
    cities: 'Rotterdam/10, Amsterdam/20, Utrecht/30, Eindhoven/40',
    streets: 'Havenkade #, Molenweg #, Stationsplein #',
    firstNames: 'Sanne, Bram, Femke, Joris, Maud, Sem',
    lastNames: 'de Wit, Bakker, van Dalen, Smeets, Hoekstra, Kuipers',
  }),
  country({
    region: 'europe',
    name: 'Sweden',
    customers: 10,
    dial: '46',
    legalForms: 'AB',
    cities: 'Stockholm/8, Göteborg/31, Malmö/40, Uppsala/18',
    streets: 'Björkvägen #, Hamngatan #, Storgatan #',
    firstNames: 'Åsa, Erik, Linnéa, Gustav, Maja, Nils',
    lastNames: 'Sandberg, Öberg, Lundgren, Hedlund, Forsström, Ek',
  }),
  country({
    region: 'europe',
    name: 'Spain',
    customers: 10,
    dial: '34',
    legalForms: 'SL, SA',
    cities: 'Madrid/91, Barcelona/93, Valencia/96, Bilbao/94',
    streets: 'Calle del Olmo #, Paseo del Mar #, Plaza Nueva #',
    firstNames: 'Lucía, Javier, Marta, Íñigo, Nuria, Álvaro',
    lastNames: 'Ortega, Ibáñez, Navarro, Pastor, Cuesta, Roldán',
  }),
  country({
    region: 'europe',
    name: 'Italy',
    customers: 8,
    dial: '39',
    legalForms: 'Srl, SpA',
    cities: 'Milano/02, Torino/011, Bologna/051, Roma/06',
    streets: 'Via dei Mulini #, Corso Vecchio #, Via del Porto #',
    firstNames: 'Giulia, Marco, Elisa, Davide, Chiara',
    lastNames: 'Ferraro, Conti, Galli, Marchetti, Rinaldi',
  }),
  country({
    region: 'europe',
    name: 'Ireland',
    customers: 6,
    dial: '353',
    legalForms: 'Ltd',
    cities: 'Dublin/1, Cork/21, Galway/91',
    streets: '# Mill Lane, # Harbour Row, # Chapel Street',
    firstNames: 'Aoife, Cillian, Niamh, Declan',
    lastNames: 'Byrne, Kavanagh, Ó Briain, Nolan',
  }),
  country({
    region: 'europe',
    name: 'United Kingdom',
    customers: 4,
    dial: '44',
    legalForms: 'Ltd, LLP',
    cities: 'Leeds/113, Bristol/117, Edinburgh/131',
    streets: '# Wharf Road, # Station Parade, # Cooper Street',
    firstNames: 'Harriet, Imran, Gwen, Callum',
    lastNames: 'Ashworth, Pryce, Mackay, Dhillon',
  }),
];

const americas: readonly Country[] = [
  country({
    region: 'north-america',
    name: 'United States',
    customers: 40,
    dial: '1',
    legalForms: 'Inc., LLC, Co.',
    cities: 'Chicago/312, Portland/503, Austin/512, Boston/617, Denver/303, Columbus/614',
    streets: '# Maple Avenue, # Riverside Drive, # Foundry Street, # Second Street',
    firstNames: 'Megan, Tyrone, Grace, Caleb, Priya, Owen, Dana, Marcus, Elena',
    lastNames: 'Whitaker, Lawson, Delgado, Kim, Osborne, Brooks, Patel, Hayes, Novak',
  }),
  country({
    region: 'north-america',
    name: 'Canada',
    customers: 15,
    dial: '1',
    legalForms: 'Inc., Ltd.',
    cities: 'Toronto/416, Montréal/514, Vancouver/604, Halifax/902',
    streets: '# Lakeshore Road, # rue Cartier, # Cedar Crescent',
    firstNames: 'Noémie, Liam, Harpreet, Sophie, Duncan, Geneviève',
    lastNames: 'Tremblay, MacLeod, Gill, Bouchard, Sinclair, Wong',
  }),
  country({
    region: 'latin-america',
    name: 'Mexico',
    customers: 8,
    dial: '52',
    legalForms: 'SA de CV',
    cities: 'Ciudad de México/55, Guadalajara/33, Mérida/999',
    streets: 'Calle Jacaranda #, Avenida del Valle #',
    firstNames: 'Ximena, Raúl, Paola, Óscar',
    lastNames: 'Villaseñor, Cárdenas, Montes, Zavala',
  }),
  country({
    region: 'latin-america',
    name: 'Brazil',
    customers: 7,
    dial: '55',
    legalForms: 'Ltda, SA',
    cities: 'São Paulo/11, Curitiba/41, Recife/81',
    streets: 'Rua das Acácias #, Avenida do Porto #',
    firstNames: 'Beatriz, João, Larissa, Caio',
    lastNames: 'Azevedo, Moura, Peixoto, Tavares',
  }),
  country({
    region: 'latin-america',
    name: 'Chile',
    customers: 3,
    dial: '56',
    legalForms: 'SpA',
    cities: 'Santiago/2, Valparaíso/32',
    streets: 'Calle Los Aromos #, Avenida Costanera #',
    firstNames: 'Antonia, Tomás, Josefa',
    lastNames: 'Fuentealba, Muñoz, Saavedra',
  }),
  country({
    region: 'latin-america',
    name: 'Colombia',
    customers: 2,
    dial: '57',
    legalForms: 'SAS',
    cities: 'Bogotá/601, Medellín/604',
    streets: 'Carrera # Sur, Calle # Norte',
    firstNames: 'Valentina, Andrés',
    lastNames: 'Quintero, Ospina',
  }),
];

const asiaPacific: readonly Country[] = [
  country({
    region: 'asia-pacific',
    name: 'Australia',
    customers: 14,
    dial: '61',
    legalForms: 'Pty Ltd',
    cities: 'Melbourne/3, Sydney/2, Brisbane/7, Hobart/3',
    streets: '# Jetty Road, # Banksia Street, # Collier Lane',
    firstNames: 'Tahlia, Angus, Mei, Lachlan, Ruby',
    lastNames: 'Fraser, Nguyen, Doyle, Papadakis, Walsh',
  }),
  country({
    region: 'asia-pacific',
    name: 'Japan',
    customers: 9,
    dial: '81',
    legalForms: 'KK',
    cities: 'Tokyo/3, Osaka/6, Fukuoka/92',
    streets: '3-#-8 Minato-dori, 1-#-2 Sakura-machi',
    firstNames: 'Haruka, Kenji, Yuki, Sho',
    lastNames: 'Morita, Hayashi, Okada, Nishimura',
  }),
  country({
    region: 'asia-pacific',
    name: 'Singapore',
    customers: 8,
    dial: '65',
    legalForms: 'Pte Ltd',
    cities: 'Singapore/6',
    streets: '# Lorong Melati, # Harbour Link, # Spice Lane',
    firstNames: 'Wei-Ling, Arjun, Nurul, Jun-Hao',
    lastNames: 'Tan, Raman, Ismail, Koh',
  }),
  country({
    region: 'asia-pacific',
    name: 'New Zealand',
    customers: 4,
    dial: '64',
    legalForms: 'Ltd',
    cities: 'Auckland/9, Wellington/4',
    streets: '# Kauri Street, # Bay View Road',
    firstNames: 'Aroha, Finlay, Isla',
    lastNames: 'Ngata, Campbell, Thorne',
  }),
];

export const countries: readonly Country[] = [...europe, ...americas, ...asiaPacific];

/** Customers' trades. With a family name, a town or a made-up word, a trade makes a company's name. */
export const trades = list(
  'Architects, Coworking, Dental Group, Design Studio, Engineering, Insurance, Law, Logistics, Publishing, ' +
    'Software, Theatre, Travel, Clinic, Hotels, Print, Analytics, Robotics, Films, Gardens, Energy, Café, Bakery',
);

export const brandWords = list(
  'Northlight, Bluewater, Redwood, Clearpath, Lantern, Tidewater, Silverline, Copperleaf, Brightside, Oakbridge, ' +
    'Meridian, Highgate, Stonefield, Wayfarer, Juniper, Halcyon, Foxglove, Windrose, Kingfisher, Marigold',
);
