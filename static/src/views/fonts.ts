import "../style/fonts.css";
