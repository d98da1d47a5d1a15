package imbot

// Color is the colour of a bot or chat in the mobile application. The set is
// open when reading; when writing, the SDK refuses names that are not among
// [Colors], because most methods of the portal drop them without a word.
type Color string

// The colours of the portal, with the values it shows.
const (
	ColorRed       Color = "RED"        // #df532d
	ColorGreen     Color = "GREEN"      // #64a513
	ColorMint      Color = "MINT"       // #4ba984
	ColorLightBlue Color = "LIGHT_BLUE" // #4ba5c3
	ColorDarkBlue  Color = "DARK_BLUE"  // #3e99ce
	ColorPurple    Color = "PURPLE"     // #8474c8
	ColorAqua      Color = "AQUA"       // #1eb4aa
	ColorPink      Color = "PINK"       // #f76187
	ColorLime      Color = "LIME"       // #58cc47
	ColorBrown     Color = "BROWN"      // #ab7761
	ColorAzure     Color = "AZURE"      // #29619b
	ColorKhaki     Color = "KHAKI"      // #728f7a
	ColorSand      Color = "SAND"       // #ba9c7b
	ColorMarengo   Color = "MARENGO"    // #556574
	ColorGray      Color = "GRAY"       // #909090
	ColorGraphite  Color = "GRAPHITE"   // #5e5f5e
)

// Colors returns the sixteen colours in the order of the documentation.
func Colors() []Color {
	return []Color{
		ColorRed, ColorGreen, ColorMint, ColorLightBlue, ColorDarkBlue, ColorPurple, ColorAqua, ColorPink,
		ColorLime, ColorBrown, ColorAzure, ColorKhaki, ColorSand, ColorMarengo, ColorGray, ColorGraphite,
	}
}

// Hex returns the value the portal shows for the colour ("#4ba984"), or the
// empty string for a name that is not among [Colors].
func (c Color) Hex() string {
	switch c {
	case ColorRed:
		return "#df532d"
	case ColorGreen:
		return "#64a513"
	case ColorMint:
		return "#4ba984"
	case ColorLightBlue:
		return "#4ba5c3"
	case ColorDarkBlue:
		return "#3e99ce"
	case ColorPurple:
		return "#8474c8"
	case ColorAqua:
		return "#1eb4aa"
	case ColorPink:
		return "#f76187"
	case ColorLime:
		return "#58cc47"
	case ColorBrown:
		return "#ab7761"
	case ColorAzure:
		return "#29619b"
	case ColorKhaki:
		return "#728f7a"
	case ColorSand:
		return "#ba9c7b"
	case ColorMarengo:
		return "#556574"
	case ColorGray:
		return "#909090"
	case ColorGraphite:
		return "#5e5f5e"
	}
	return ""
}
